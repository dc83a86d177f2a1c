"""Who sees which returns: a person bound to locations sees what comes back there."""

from config.kernel.visibility import at, see

see("returns.rma", at("location"))
