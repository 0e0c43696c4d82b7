"""Pages by number, as the list of clients has them.

Source: clients/common.yaml, rules.pagination.
"""


def page_count(total: int, per_page: int) -> int:
    """How many pages there are, none without rows; a page past the last is empty."""
    return -(-total // per_page)


def offset(page: int, per_page: int) -> int:
    """How many rows are on the pages before this one; pages start at 1."""
    return (page - 1) * per_page
