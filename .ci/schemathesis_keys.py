"""A key names one request: whoever sends another one makes another key. Schemathesis would send a
few keys again and again, and so be told `idempotency_key_reused` instead of what it asks for."""

import itertools

import schemathesis
from schemathesis.core.parameters import ParameterLocation

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Where a header is what is wrong, headers stay as they are.
    about = getattr(case.meta.phase.data, "parameter_location", None) if case.meta else None
    key = case.headers.get("Idempotency-Key")
    if key and about != ParameterLocation.HEADER:
        case.headers["Idempotency-Key"] = f"{key[:200]}-{next(numbers)}"
