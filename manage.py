#!/usr/bin/env python3
"""Bancale's one entry point; sets its own environment up on a bare machine."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.bootstrap import main

    sys.exit(main(sys.argv))
