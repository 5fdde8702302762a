"""`make bench`, `-full`, `-memory` and `-sizes`: the promises about scale, measured."""
