"""One blueprint a resource; each route parses, asks one service, shapes the answer."""
