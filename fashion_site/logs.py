"""What the server's own log of requests leaves out."""

import logging


class NoQuery(logging.Filter):
    """Takes what follows the question mark from uvicorn's lines: what people look for is nobody else's business."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True.  ``record.args`` is (client, method, path with query, version, status)."""
        if isinstance(record.args, tuple) and len(record.args) > 2 and isinstance(record.args[2], str):
            path = record.args[2].partition("?")[0]
            record.args = (*record.args[:2], path, *record.args[3:])
        return True
