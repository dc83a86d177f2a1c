WHY: dict[str, dict[str, str]] = {}
