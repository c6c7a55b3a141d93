"""The table front end: data frames that record what is done to them."""
