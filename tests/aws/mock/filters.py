"""Filters and pages of describe calls."""
import re

from .errors import ApiError


def matches(pattern, value):
    """EC2's wildcards: * and ?, with a backslash before what is meant as it is."""
    parts, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and i + 1 < len(pattern):
            i += 1
            parts.append(re.escape(pattern[i]))
        else:
            parts.append({"*": ".*", "?": "."}.get(c, re.escape(c)))
        i += 1
    return re.fullmatch("".join(parts), value, re.S) is not None


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def apply(filters, things, value_of, tags_of):
    """The things that every filter lets through. value_of: filter's name to a function of a
    thing; tag:KEY and tag-key are of all."""
    for row in filters:
        name, values = row.get("Name", ""), row.get("Values", [])
        if name.startswith("tag:"):
            def found(thing, key=name[4:]):
                tags = tags_of(thing)
                return [tags[key]] if key in tags else []
        elif name == "tag-key":
            def found(thing):
                return list(tags_of(thing))
        elif name in value_of:
            def found(thing, read=value_of[name]):
                said = read(thing)
                return [] if said is None else [text(said)]
        else:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid", 400)
        things = [thing for thing in things
                  if any(matches(pattern, said) for said in found(thing) for pattern in values)]
    return things


def page(params, things):
    """(this page's things, the next page's token)"""
    most = params.get("MaxResults")
    if most is not None and not 5 <= most <= 1000:
        raise ApiError("InvalidParameterValue", f"Value ({most}) for parameter maxResults is "
                                                "invalid. Expecting a value from 5 to 1000.", 400)
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise ApiError("InvalidParameterValue", "Unable to parse pagination token", 400)
    first = int(token)
    last = len(things) if most is None else first + most
    return things[first:last], str(last) if last < len(things) else None
