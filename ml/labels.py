"""CIFAR-100's class names, in the order of the networks' outputs (alphabetical, as in the data set itself)."""

CIFAR100 = tuple(
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel
    can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
    dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion
    lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree
    pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea
    seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank
    telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman
    worm""".split()  # noqa: SIM905 - a hundred quoted words would hide their order
)
"""100 names; index = network output = CIFAR-100's fine label."""

PEOPLE = frozenset({"baby", "boy", "girl", "man", "woman"})
"""Classes about people: an answer of this kind says nothing about the person in the picture."""


def display(label: str) -> str:
    """The label as a person reads it: ``sweet_pepper`` -> ``sweet pepper``."""
    return label.replace("_", " ")
