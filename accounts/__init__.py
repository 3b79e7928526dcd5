"""Who somebody is: the user, API tokens, the account page, and what a person's data consists of."""
