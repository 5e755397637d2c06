/* How categories, evidence and kinds of mappings are called: report.md has the ids. */
#include "pyheaptop/model.h"

static const struct pht_category_name categories[PHT_CATEGORIES] = {
    [PHT_CATEGORY_PYTHON_SMALL] = {"python_small", 'P',
                                   "Python objects, small (pymalloc blocks in use)"},
    [PHT_CATEGORY_PYMALLOC_SLACK] = {"pymalloc_slack", 'p',
                                     "pymalloc slack: free blocks, free pools, headers"},
    [PHT_CATEGORY_PYTHON_LARGE] = {"python_large", 'L',
                                   "Python objects, large (>512 B, from malloc)"},
    [PHT_CATEGORY_MALLOC_UNOWNED] = {"malloc_unowned", 'N', "malloc in use, no Python owner found"},
    [PHT_CATEGORY_MALLOC_FREE] = {"malloc_free", 'f', "malloc free memory kept by glibc"},
    [PHT_CATEGORY_MALLOC_TOP] = {"malloc_top", 't', "top chunks of malloc's arenas"},
    [PHT_CATEGORY_MALLOC_MMAPPED] = {"malloc_mmapped", 'M', "mmapped malloc chunks"},
    [PHT_CATEGORY_OTHER_ALLOCATOR] = {"other_allocator", 'A', "memory of another allocator"},
    [PHT_CATEGORY_FILES] = {"files", 'F', "files: code, data, .so"},
    [PHT_CATEGORY_STACKS] = {"stacks", 'S', "stacks of threads"},
    [PHT_CATEGORY_SHARED_MEMORY] = {"shared_memory", 'H', "shared memory"},
    [PHT_CATEGORY_UNATTRIBUTED] = {"unattributed", '?', "not attributed"},
};

const struct pht_category_name *pht_category_name(enum pht_category category)
{
    return &categories[category];
}

const char *pht_evidence_name(enum pht_evidence evidence)
{
    switch (evidence) {
    case PHT_EVIDENCE_WALKED:
        return "walked";
    case PHT_EVIDENCE_REMAINDER:
        return "remainder";
    case PHT_EVIDENCE_KERNEL:
        return "kernel";
    case PHT_EVIDENCE_NONE:
        break;
    }
    return NULL;
}

const char *pht_mapping_kind_name(enum pht_mapping_kind kind)
{
    static const char *const names[] = {
        [PHT_MAPPING_ANONYMOUS] = "anonymous",
        [PHT_MAPPING_FILE] = "file",
        [PHT_MAPPING_SHARED_MEMORY] = "shared_memory",
        [PHT_MAPPING_HEAP] = "heap",
        [PHT_MAPPING_PYMALLOC] = "pymalloc",
        [PHT_MAPPING_MALLOC] = "malloc",
        [PHT_MAPPING_MMAPPED] = "malloc_mmapped",
        [PHT_MAPPING_OTHER_ALLOCATOR] = "other_allocator",
        [PHT_MAPPING_PYTHON] = "python_large",
        [PHT_MAPPING_STACK] = "stack",
        [PHT_MAPPING_LIBRARY] = "library",
        [PHT_MAPPING_KERNEL] = "kernel",
        [PHT_MAPPING_GUARD] = "guard",
    };

    return names[kind];
}
