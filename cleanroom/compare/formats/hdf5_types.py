"""What HDF5 itself says of a type, in full: NumPy has no word for padding of texts, tags of opaque
bytes or bit fields.

Not here: values, and which object has a type.
"""

from typing import Any


def described(kind: Any) -> tuple[Any, ...]:
    """A low-level type of h5py as nested tuples, the same for the same type in two files;
    `references` says whether it has any.
    """
    import h5py

    t = h5py.h5t
    whole = (type(kind).__name__, kind.get_size())
    if isinstance(kind, (t.TypeEnumID, t.TypeArrayID, t.TypeVlenID)):
        more: tuple[Any, ...] = (described(kind.get_super()),)
        if isinstance(kind, t.TypeEnumID):
            more += tuple(
                (kind.get_member_name(i), kind.get_member_value(i))
                for i in range(kind.get_nmembers())
            )
        elif isinstance(kind, t.TypeArrayID):
            more += (kind.get_array_dims(),)
        return whole + more
    if isinstance(kind, t.TypeCompoundID):
        members = range(kind.get_nmembers())
        return whole + tuple(
            (kind.get_member_name(i), kind.get_member_offset(i), described(kind.get_member_type(i)))
            for i in members
        )
    if isinstance(kind, t.TypeStringID):
        return (*whole, kind.is_variable_str(), kind.get_cset(), kind.get_strpad())
    if isinstance(kind, t.TypeOpaqueID):
        return (*whole, kind.get_tag())
    if isinstance(kind, t.TypeFloatID):
        return (
            *whole,
            kind.get_order(),
            kind.get_precision(),
            kind.get_offset(),
            kind.get_fields(),
            kind.get_ebias(),
            kind.get_norm(),
        )
    if isinstance(kind, t.TypeIntegerID):
        return (*whole, kind.get_order(), kind.get_precision(), kind.get_offset(), kind.get_sign())
    return (
        *whole,
        "region" if isinstance(kind, t.TypeReferenceID) and kind.equal(t.STD_REF_DSETREG) else "",
    )


def references(description: tuple[Any, ...]) -> bool:
    """Whether a described type points to other objects, alone or in a part."""
    return any(
        references(part) if isinstance(part, tuple) else part == "TypeReferenceID"
        for part in description
    )
