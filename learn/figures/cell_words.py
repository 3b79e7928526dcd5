"""The sentences about one cell of a layer. The page's script fills in the same ones, so that both say the same."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Sentences with named places, in the reader's language. Numbers are put in as text.

    A shift, and the other term of an addition, bring their sign along: ``+ 0.6706``, ``− 0.3430``.
    """
    return {
        "place": _("%(network)s, %(layer)s, channel %(channel)s, row %(row)s, column %(column)s"),
        "covered": _("with bars"),
        "sum": _("the sum of %(products)s products is %(total)s."),
        "padding": _("%(count)s of the %(all)s cells under the window are padding and count as 0."),
        "largest": _("Of %(count)s input channels these add or take away most: %(list)s."),
        "every": _("The input channels: %(list)s."),
        "item": _("%(channel)s gives %(sum)s"),
        "others": _("The other %(count)s give %(sum)s together."),
        "rounding": _("Rounding: %(sum)s."),
        "exact": _("The network computed %(stored)s in float32: exactly the same."),
        "stored": _("The network computed %(stored)s in float32: off by %(difference)s."),
        "share": _(
            "The channels drawn here make up %(share)s%% of all that the %(count)s channels add or take away."
        ),
        "sides": _(
            "The first alone makes up %(first)s%%. Channels that add: %(adds)s; that take away: %(takes)s."
        ),
        "no_bias": _(
            "No bias is added: the convolutions of this network have none, because batch normalisation shifts "
            "their values."
        ),
        "channel": _("input channel %(channel)s"),
        "colour": _("input channel %(channel)s, %(colour)s"),
        "go_back": _("Take apart where it comes from: %(layer)s"),
        "go_on": _("See it used: %(layer)s"),
        "readout": _("row %(row)s, column %(column)s: %(total)s"),
        "not_fetched": _("The numbers could not be fetched."),
        "pin": _("Pin this cell"),
        "unpin": _("Let go"),
        "channel_of": _("channel %(channel)s"),
        "cell": _("row %(row)s, column %(column)s"),
        "cell_padding": _("row %(row)s, column %(column)s: padding"),
        "colour_short": _("%(channel)s, %(colour)s"),
        "others_row": _("the other %(count)s"),
        "total_row": _("the sum of %(products)s products"),
        # What comes before and after
        "normalised": _("%(value)s × %(scale)s %(shift)s = %(result)s."),
        "normalised_rounded": _("%(value)s × %(scale)s %(shift)s = %(result)s (rounding: %(rounding)s)."),
        "scale": _(
            "The scale is gamma ÷ √(variance + %(epsilon)s), with gamma %(gamma)s and variance %(variance)s. "
            "The shift is beta − mean × scale, with beta %(beta)s and mean %(mean)s."
        ),
        "passes": _("%(value)s is above zero and passes."),
        "stopped": _("%(value)s is not above zero: 0 is left of it."),
        "added": _("%(value)s %(other)s from %(layer)s = %(result)s."),
        "added_rounded": _("%(value)s %(other)s from %(layer)s = %(result)s (rounding: %(rounding)s)."),
        "pool_wins": _(
            "%(value)s is the largest of %(values)s and goes on, to row %(row)s, column %(column)s."
        ),
        "pool_loses": _(
            "%(value)s ends here: the largest of %(values)s is %(largest)s, from row %(row)s, column %(column)s."
        ),
        "pool_beyond": _("No window of the pooling reaches this cell."),
        "averaged": _("It is one of %(count)s cells, whose average is %(result)s."),
        "pixel": _(
            "The pixel has %(pixel)s of 255, which is %(fraction)s. "
            "(%(fraction)s − mean %(mean)s) ÷ deviation %(std)s = %(result)s."
        ),
        "pooled": _("The largest of %(values)s, at row %(row)s, column %(column)s of the map before."),
        "at": _("Input channel %(channel)s in the middle of the window, row %(row)s, column %(column)s"),
        "read_by": _("Read by %(layers)s."),
        "to_logits": _("Read by the dense layer, which makes the scores of all classes."),
        # Pooling as the figure itself
        "pool_sum": _("the largest of %(values)s is %(total)s, from row %(row)s, column %(column)s."),
        "average_sum": _("the average of %(count)s cells is %(total)s."),
        # Where the window stands
        "window": _(
            "The window reads rows %(top)s to %(bottom)s and columns %(left)s to %(right)s of the input."
        ),
        "window_one": _("The window is one cell: row %(top)s, column %(left)s of the input."),
        "window_all": _("The window is the whole map."),
        "stride": _(
            "Stride %(stride)s: the next cell's window begins %(stride)s columns on, and the next row's "
            "%(stride)s rows down. So the map has %(height)s × %(width)s cells; with stride 1 it would "
            "have %(more)s × %(wide)s."
        ),
        "stride_one": _("Stride 1: the next cell's window begins one column on."),
        "skipped": _("The rows and columns between are not read at all: they are pale in the magnifier."),
        "pad_same": _("Padding: %(sides)s. Cells outside the map count as 0."),
        "pad_side": _("%(count)s at the %(side)s"),
        "top": _("top"),
        "left": _("left"),
        "bottom": _("bottom"),
        "right": _("right"),
        # What a choice made of a number that does not exist
        "no_channel": _(
            "There is no channel %(value)s: this layer has the channels 0 to %(last)s. %(shown)s is shown."
        ),
        "no_row": _("There is no row %(value)s: this layer has the rows 1 to %(last)s. %(shown)s is shown."),
        "no_column": _(
            "There is no column %(value)s: this layer has the columns 1 to %(last)s. %(shown)s is shown."
        ),
        "no_input": _("There is no input channel %(value)s: this layer reads the channels 0 to %(last)s."),
        "list": _("%(first)s and %(last)s"),
        "red": _("red"),
        "green": _("green"),
        "blue": _("blue"),
    }
