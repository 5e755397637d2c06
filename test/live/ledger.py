"""Every resident byte has an owner: how the ledger of a report has to add up."""
from check import equal, expect

CATEGORIES = ["python_small", "pymalloc_slack", "python_large", "malloc_unowned", "malloc_free",
              "malloc_top", "malloc_mmapped", "other_allocator", "files", "stacks",
              "shared_memory", "unattributed"]
LETTERS = "PpLNftMAFSH?"

# What nothing could prove may be so much of RSS, on programs of all kinds.
UNATTRIBUTED_MAX = 0.005


def sizes(report):
    """Bytes by category."""
    return {row["id"]: row["bytes"] for row in report["categories"]}


def check_sums(report):
    """What holds for every report, also on a target that runs."""
    rows, rss = report["categories"], report["kernel"]["rss_bytes"]
    equal("the categories", [row["id"] for row in rows], CATEGORIES)
    equal("their letters", "".join(row["letter"] for row in rows), LETTERS)
    equal("the sum of categories", sum(row["bytes"] for row in rows), rss)
    equal("the sum of mappings", sum(row["rss_bytes"] for row in report["mappings"]), rss)
    unattributed = sizes(report)["unattributed"]
    equal("attributed_bytes", report["attributed_bytes"], rss - unattributed)
    equal("the sum of unattributed places", sum(row["bytes"] for row in report["unattributed"]),
          unattributed)
    for row in report["mappings"]:
        equal("the categories of the mapping " + row["start"], sum(row["categories"].values()),
              row["rss_bytes"])


def mappings_of_smaps(pid):
    """
    (start, Rss, Swap, exclusive) of each mapping. Pages of files are exclusive or not as other
    processes come and go, which is no matter here.
    """
    found = []
    with open("/proc/%d/smaps" % pid, errors="surrogateescape") as file:
        for line in file:
            words = line.split()
            if words[0].endswith(":"):
                if words[-1] == "kB":
                    found[-1][words[0][:-1]] = int(words[1]) * 1024
            else:
                found.append({"start": "0x" + words[0].split("-")[0].lstrip("0"),
                              "is_file": words[4] != "0"})
    return [(one["start"], one["Rss"], one["Swap"],
             None if one["is_file"] else one["Private_Clean"] + one["Private_Dirty"])
            for one in found]


def check_still(report, pid):
    """And what holds on one that does not move: it is the kernel's RSS, mapping by mapping."""
    check_sums(report)
    wanted = mappings_of_smaps(pid)
    found = [(row["start"], row["rss_bytes"], row["swap_bytes"],
              None if other[3] is None else row["exclusive_bytes"])
             for row, other in zip(report["mappings"], wanted)]
    wrong = [row["start"] for row in report["mappings"]
             if row["exclusive_bytes"] + row["shared_bytes"] != row["rss_bytes"]]
    expect(not wrong, "exclusive and shared do not add up at %s" % ", ".join(wrong[:5]))
    wrong = ["%s, not %s" % pair for pair in zip(found, wanted) if pair[0] != pair[1]]
    expect(not wrong and len(found) == len(wanted),
           "%d mappings, not %d; %s" % (len(found), len(wanted), "; ".join(wrong[:5])))
    equal("rss_bytes", report["kernel"]["rss_bytes"], sum(row[1] for row in wanted))


def check_attributed(report):
    """Nearly all of it has an owner; where it has not, the reason names the places."""
    left, rss = sizes(report)["unattributed"], report["kernel"]["rss_bytes"]
    places = "; ".join("%d at %s %s" % (row["bytes"], row["start"], row["name"])
                       for row in report["unattributed"][:6])
    expect(left <= rss * UNATTRIBUTED_MAX,
           "%d of %d bytes (%.2f %%) are not attributed: %s" % (left, rss, 100 * left / rss,
                                                               places))


def check_near(what, got, wanted, share=0.01):
    expect(abs(got - wanted) <= wanted * share,
           "%s is %d, not %d (%+.2f %%)" % (what, got, wanted, 100 * (got - wanted) / wanted))
