"""What this room hears of through the outbox."""


def register() -> None:
    """Subscribe; called once from `AppConfig.ready()`."""
