"""A worker that sweeps the outbox once, as beat would have it do, in a process of its own."""

import django


def main() -> None:
    django.setup()
    from config.kernel import outbox
    from config.kernel.tasks import sweep_outbox

    sweep_outbox()
    for lane in outbox.LANES:
        outbox.deliver_due(lane)


if __name__ == "__main__":
    main()
