/*
 * Tables that pymalloc keeps in malloc's memory: they are listed, and stay malloc's.
 *
 * The tree (3.10 and later) tells for an address whether an arena covers it: a root, nodes in the
 * middle, and at the bottom nodes with a mark for each MiB. The root is part of the state, and has
 * one entry in use: the first bits of all addresses of a process are the same.
 */
#include "walk/regions.h"

/* 256 KiB. */
#define NODE_ENTRIES_MAX 32768

/*
 * A node in the middle covers 256 GiB at the least, one at the bottom 256 MiB (3.10 as built for
 * addresses of 48 bits): a tree with more is damaged.
 */
#define MIDS_MAX 64
#define NODES_MAX 65536

struct tree {
    struct pht_region_walk *walk;
    uint64_t mid_bytes;
    uint64_t bottom_bytes;
    uint32_t mids;
    uint32_t nodes;
};

static bool add_node(struct tree *tree, pht_addr node, uint64_t bytes)
{
    tree->nodes++;
    return pht_region_add(tree->walk, node, node + bytes, PHT_REGION_ARENA_TREE, 0);
}

typedef bool (*add_child)(struct tree *tree, pht_addr node);

/* Pages of a node that are not resident have no children: nobody asks for them. */
static bool add_children(struct tree *tree, pht_addr node, uint64_t bytes, add_child add)
{
    struct pht_snapshot *snapshot = tree->walk->snapshot;
    pht_addr end = node + bytes;

    for (pht_addr page = node - node % PHT_PAGE_BYTES;
         (page = pht_snapshot_next_resident(snapshot, page, end)) < end; page += PHT_PAGE_BYTES) {
        pht_addr children[PHT_PAGE_BYTES / sizeof(pht_addr)];
        pht_addr from = page > node ? page : node;
        pht_addr to = page + PHT_PAGE_BYTES < end ? page + PHT_PAGE_BYTES : end;
        if (pht_snapshot_read(snapshot, from, children, (size_t)(to - from)) != PHT_READ_OK)
            continue;
        for (size_t i = 0; i < (size_t)(to - from) / sizeof(pht_addr); i++) {
            if (children[i] != 0 && tree->nodes < NODES_MAX && !add(tree, children[i]))
                return false;
        }
    }
    return true;
}

static bool add_bottom(struct tree *tree, pht_addr node)
{
    return !pht_region_may_be_table(tree->walk, node, tree->bottom_bytes) ||
           add_node(tree, node, tree->bottom_bytes);
}

static bool add_mid(struct tree *tree, pht_addr node)
{
    if (tree->mids++ >= MIDS_MAX || !pht_region_may_be_table(tree->walk, node, tree->mid_bytes))
        return true;
    return add_node(tree, node, tree->mid_bytes) &&
           add_children(tree, node, tree->mid_bytes, add_bottom);
}

/* Every state has a root; states of 3.10 and 3.11 are of the process. */
static bool find_root(const struct pht_region_walk *walk, const struct pht_pymalloc_root *state,
                      pht_addr *root, uint64_t *bytes)
{
    const struct pht_python_layout *layout = &walk->python->layout;

    if (layout->obmalloc_bytes == PHT_UNKNOWN) {
        *root = layout->arena_map_root + walk->python->bias;
        *bytes = layout->arena_map_root_bytes;
        return layout->arena_map_root != PHT_UNKNOWN;
    }
    *root = state->usedpools - layout->obmalloc_usedpools + layout->obmalloc_arena_map_root;
    *bytes = layout->obmalloc_arena_map_root_bytes;
    return layout->obmalloc_arena_map_root != PHT_UNKNOWN;
}

static bool is_node_size(uint64_t bytes)
{
    return bytes > 0 && bytes <= NODE_ENTRIES_MAX * sizeof(uint64_t);
}

static bool add_tree(struct pht_region_walk *walk, const struct pht_pymalloc_root *state)
{
    const struct pht_python_layout *layout = &walk->python->layout;
    struct tree tree = {
        .walk = walk,
        .mid_bytes = layout->arena_map_mid_bytes,
        .bottom_bytes = layout->arena_map_bot_bytes,
    };
    pht_addr root;
    uint64_t bytes;

    return !is_node_size(tree.mid_bytes) || !is_node_size(tree.bottom_bytes) ||
           !find_root(walk, state, &root, &bytes) || !is_node_size(bytes) ||
           root % sizeof(uint64_t) != 0 || add_children(&tree, root, bytes, add_mid);
}

static bool add_array(struct pht_region_walk *walk, const struct pht_pymalloc_root *state)
{
    uint64_t bytes = state->maxarenas * walk->python->layout.arena_object_bytes;

    return bytes == 0 || !pht_region_may_be_table(walk, state->arenas_addr, bytes) ||
           pht_region_add(walk, state->arenas_addr, state->arenas_addr + bytes,
                          PHT_REGION_ARENA_ARRAY, 0);
}

bool pht_regions_find_tables(struct pht_region_walk *walk)
{
    const struct pht_pymalloc_roots *roots = walk->pymalloc;

    for (size_t i = 0; roots != NULL && i < roots->states.count; i++) {
        if (!add_array(walk, &roots->states.items[i]) || !add_tree(walk, &roots->states.items[i]))
            return false;
    }
    return true;
}
