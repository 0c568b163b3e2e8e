"""A key names one request: whoever sends another one makes another key. Schemathesis would send a
few keys again and again, and so be told `idempotency_key_reused` instead of what it asks for."""

import itertools

import schemathesis

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # Where the key is what is wrong, it stays as it is.
    about = getattr(case.meta.phase.data, "parameter", None) if case.meta else None
    key = case.headers.get("Idempotency-Key")
    if key and (about or "").lower() != "idempotency-key":
        case.headers["Idempotency-Key"] = f"{key[:200]}-{next(numbers)}"
        # A case with an edit is judged anew, and one without `Authorization` would count as whole.
        case._sync_validated_hashes()
