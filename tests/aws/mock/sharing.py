"""Who else may use an image or a snapshot."""
import re

from .errors import refuse


def account_ids(params, adding):
    """Accounts of the two ways to say a permission: UserIds with OperationType, or the
    structure's Add and Remove."""
    name = next((n for n in ("LaunchPermission", "CreateVolumePermission") if n in params), None)
    if name:
        return [row.get("UserId", row.get("Group"))
                for row in params[name].get("Add" if adding else "Remove", [])]
    if params.get("OperationType", "add") != ("add" if adding else "remove"):
        return []
    return params.get("UserIds", []) + params.get("GroupNames", []) + params.get("UserGroups", [])


def change_sharing(thing, params):
    """Adds and removes accounts; they are 12 digits, or `all`."""
    added, removed = account_ids(params, True), account_ids(params, False)
    for who in added + removed:
        if who != "all" and not re.fullmatch(r"\d{12}", who or ""):
            raise refuse("InvalidAMIAttributeItemValue",
                         f"Invalid attribute item value \"{who}\" for userId item type.")
    thing.shared_with |= set(added)
    thing.shared_with -= set(removed)
