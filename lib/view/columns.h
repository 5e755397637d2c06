/*
 * The columns of every table on the screens: what they are called and how much room they need.
 * `--sort=help` lists the ones that can be sorted by, and the man page has a line for each.
 */
#ifndef PHT_LIB_VIEW_COLUMNS_H
#define PHT_LIB_VIEW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum pht_alignment {
    PHT_ALIGN_LEFT,
    PHT_ALIGN_RIGHT,
};

struct pht_column {
    const char *id;    /* as --sort has it; NULL: nothing is sorted by it */
    const char *title; /* as wide as `width` at most */
    unsigned width;    /* of its cells; at least so much if `is_flexible` */
    unsigned priority; /* 0: always there; of the others, the highest number leaves first */
    enum pht_alignment alignment;
    bool is_flexible; /* takes what the others leave: one column */
    bool is_change;   /* `d` sorts by it */
    bool is_growth;   /* empty without a baseline: then it is the first to leave */
    bool is_bytes;    /* wider where sizes are written in full */
};

/* The tables, and their columns in turn. */
enum pht_table_id {
    PHT_TABLE_SIZE_CLASSES,
    PHT_TABLE_ARENAS,
    PHT_TABLE_MALLOC_ARENAS,
    PHT_TABLE_FREE_KINDS,
    PHT_TABLE_TYPES,
    PHT_TABLE_MAPPINGS,
    PHT_TABLE_FAMILY,
    PHT_TABLE_FOCUS_TYPES,
    PHT_TABLE_FOCUS_SIZES,
    PHT_TABLE_PROCESSES,
    PHT_TABLES,
};

enum pht_class_column {
    PHT_CLASS_SIZE,
    PHT_CLASS_POOLS,
    PHT_CLASS_BLOCKS,
    PHT_CLASS_USE,
    PHT_CLASS_LIVE,
    PHT_CLASS_FREE,
    PHT_CLASS_SHARE,
    PHT_CLASS_CHANGE,
};

enum pht_arena_column {
    PHT_ARENA_NAME,
    PHT_ARENA_POOLS,
    PHT_ARENA_FREE_POOLS,
    PHT_ARENA_BLOCKS,
    PHT_ARENA_LIVE,
    PHT_ARENA_RSS,
    PHT_ARENA_KEPT,
    PHT_ARENA_USE,
    PHT_ARENA_SHARE,
};

enum pht_malloc_arena_column {
    PHT_MALLOC_ARENA_NAME,
    PHT_MALLOC_ARENA_HEAPS,
    PHT_MALLOC_ARENA_THREADS,
    PHT_MALLOC_ARENA_SYSTEM,
    PHT_MALLOC_ARENA_RSS,
    PHT_MALLOC_ARENA_LIVE,
    PHT_MALLOC_ARENA_FREE,
    PHT_MALLOC_ARENA_TOP,
    PHT_MALLOC_ARENA_TRIM,
    PHT_MALLOC_ARENA_FREE_SHARE,
    PHT_MALLOC_ARENA_BAR,
};

enum pht_free_column {
    PHT_FREE_NAME,
    PHT_FREE_CHUNKS,
    PHT_FREE_BYTES,
    PHT_FREE_LARGEST,
    PHT_FREE_PAGES,
};

enum pht_type_column {
    PHT_TYPES_NAME,
    PHT_TYPES_OBJECTS,
    PHT_TYPES_SIZE,
    PHT_TYPES_TAKEN,
    PHT_TYPES_SHARE,
    PHT_TYPES_AVERAGE,
    PHT_TYPES_LARGEST,
    PHT_TYPES_MORE_OBJECTS,
    PHT_TYPES_MORE_BYTES,
};

enum pht_map_column {
    PHT_MAP_START,
    PHT_MAP_SIZE,
    PHT_MAP_RSS,
    PHT_MAP_EXCLUSIVE,
    PHT_MAP_SHARED,
    PHT_MAP_SWAP,
    PHT_MAP_PROT,
    PHT_MAP_OWNERS,
    PHT_MAP_WHAT,
};

enum pht_family_column {
    PHT_FAMILY_NAME,
    PHT_FAMILY_RSS,
    PHT_FAMILY_PSS,
    PHT_FAMILY_SHARED,
    PHT_FAMILY_COPIED,
    PHT_FAMILY_WHAT,
};

enum pht_focus_type_column {
    PHT_FOCUS_TYPE_NAME,
    PHT_FOCUS_TYPE_OBJECTS,
    PHT_FOCUS_TYPE_BYTES,
    PHT_FOCUS_TYPE_BUFFERS,
    PHT_FOCUS_TYPE_BUFFER_BYTES,
    PHT_FOCUS_TYPE_TOTAL,
    PHT_FOCUS_TYPE_SHARE,
};

enum pht_focus_size_column {
    PHT_FOCUS_SIZE_RANGE,
    PHT_FOCUS_SIZE_OBJECTS,
    PHT_FOCUS_SIZE_BYTES,
    PHT_FOCUS_SIZE_SHARE,
    PHT_FOCUS_SIZE_BAR,
};

enum pht_process_column {
    PHT_PROCESS_PID,
    PHT_PROCESS_USER,
    PHT_PROCESS_RSS,
    PHT_PROCESS_PSS,
    PHT_PROCESS_UP,
    PHT_PROCESS_VERSION,
    PHT_PROCESS_COMMAND,
};

/* The columns of a table, in the order of its enumeration above; `*count` of them. */
const struct pht_column *pht_columns_of(enum pht_table_id table, size_t *count);

/* For people: "size classes". */
const char *pht_table_name(enum pht_table_id table);

#endif
