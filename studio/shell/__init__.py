"""The house around the rooms: installed on a phone or a desk, shown without a network, and its style on one page."""
