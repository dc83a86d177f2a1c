"""A worker that runs one job to its end, to be killed on the way: `python -m tests.concurrency.import_process JOB`."""

import sys

import django


def main() -> None:
    django.setup()
    from config.kernel import jobs

    print("ready", flush=True)
    while jobs.run_job(int(sys.argv[1])):
        pass
    print("done", flush=True)


if __name__ == "__main__":
    main()
