/* What is a type and what is not, what it is called, and of which kind it is. */
#include <string.h>

#include "support/objects.h"
#include "support/suite.h"

static const struct version {
    unsigned major;
    unsigned minor;
} versions[] = {{2, 7},  {3, 6},  {3, 7},  {3, 8},  {3, 9}, {3, 10},
                {3, 11}, {3, 12}, {3, 13}, {3, 14}, {3, 15}};

#define VERSIONS (int)(sizeof(versions) / sizeof(versions[0]))

static struct objects *objects;

static void begin(unsigned minor)
{
    objects = objects_create(3, minor);
}

static void setup(void)
{
    begin(11);
}

static void teardown(void)
{
    ck_assert_uint_eq(objects->fake->forbidden_reads, 0);
    objects_destroy(objects);
}

static const struct pht_type *find(pht_addr address)
{
    return pht_types_find(objects->types, address);
}

static void check_names(pht_addr address, const char *module, const char *name)
{
    const struct pht_type *type = find(address);

    ck_assert_ptr_nonnull(type);
    ck_assert_str_eq(type->name, name);
    ck_assert_str_eq(type->module, module);
}

static pht_addr static_type(const char *name, uint64_t flags, uint64_t basicsize)
{
    return objects_type(
        objects, &(struct objects_type){.name = name, .flags = flags, .basicsize = basicsize});
}

/* ---- all versions ------------------------------------------------------------------------- */

START_TEST(static_types_are_found_in_all_versions)
{
    const struct version *version = &versions[_i];
    bool is_python2 = version->major == 2;

    objects = objects_create(version->major, version->minor);
    check_names(objects->type_type, is_python2 ? "__builtin__" : "builtins", "type");
    check_names(objects->dict_type, is_python2 ? "__builtin__" : "builtins", "dict");
    check_names(static_type("a.b.C", 0, 24), "a.b", "C");
    ck_assert_int_eq(find(objects->dict_type)->kind, PHT_KIND_DICT);
    ck_assert_int_eq(find(objects->type_type)->kind, PHT_KIND_TYPE);
    ck_assert_int_eq(find(objects->str_type)->kind, is_python2 ? PHT_KIND_BYTES : PHT_KIND_STR);
    ck_assert_uint_eq(pht_types_count(objects->types), 4);
    teardown();
}
END_TEST

START_TEST(classes_have_their_own_names_in_all_versions)
{
    const struct version *version = &versions[_i];

    if (version->major == 2)
        return;
    objects = objects_create(version->major, version->minor);
    pht_addr class = objects_class(objects, "Outer.Inner", "package.module", 0);
    check_names(class, "package.module", "Outer.Inner");
    ck_assert(find(class)->is_heap_type);
    ck_assert(find(class)->has_gc);
    ck_assert_uint_eq(find(class)->prefix_bytes, version->minor < 8 ? 32 : 16);
    ck_assert_uint_eq(find(class)->basicsize, 32);
    teardown();
}
END_TEST

START_TEST(words_in_front_of_objects)
{
    static const struct {
        unsigned minor;
        uint64_t flags;
        uint32_t prefix_bytes;
    } rows[] = {{10, 1 << 4, 16}, {11, 1 << 4, 32}, {11, 1 << 3, 16},
                {12, 1 << 4, 32}, {12, 1 << 3, 32}, {13, 3 << 3, 32}};

    begin(rows[_i].minor);
    pht_addr class = objects_type(
        objects, &(struct objects_type){
                     .name = "x.C", .flags = OBJECTS_GC | rows[_i].flags, .basicsize = 16});
    ck_assert_uint_eq(find(class)->prefix_bytes, rows[_i].prefix_bytes);
    ck_assert(find(class)->has_managed_dict == (rows[_i].minor > 10 && rows[_i].flags & 1 << 4));
    teardown();
}
END_TEST

/* ---- what is no type ---------------------------------------------------------------------- */

static pht_addr sane_type(void)
{
    return static_type("m.T", OBJECTS_GC, 24);
}

START_TEST(a_type_with_one_thing_wrong_is_none)
{
    static const struct {
        uint64_t offset;
        uint64_t value;
    } rows[] = {
        {8, 0}, /* no type */
        {8, 8},
        {8, 0x123456789000},                    /* a type that is not mapped */
        {8, OBJECTS_HEAP + OBJECTS_HEAP_BYTES}, /* behind the end */
        {24, 0},                                /* no name */
        {24, 0x123456789000},
        {32, 15}, /* basicsize */
        {32, 65537},
        {32, (uint64_t)1 << 63},
        {40, 65537}, /* itemsize */
        {40, UINT64_MAX},
        {168, OBJECTS_GC}, /* not ready */
        {168, OBJECTS_READY | (uint64_t)1 << 32},
        {288, (uint64_t)1 << 40}, /* dictoffset */
    };
    pht_addr type = sane_type();

    if (_i > 0)
        fake_target_put_u64(objects->fake, type + rows[_i - 1].offset, rows[_i - 1].value);
    ck_assert_int_eq(find(type) != NULL, _i == 0);
    /* And for ever: it is not read again. */
    uint64_t reads = objects->fake->read_count;
    ck_assert_int_eq(find(type) != NULL, _i == 0);
    ck_assert_uint_eq(objects->fake->read_count, reads);
    ck_assert_uint_eq(pht_types_stats(objects->types).refused, _i != 0);
}
END_TEST

START_TEST(odd_addresses_are_none)
{
    pht_addr type = sane_type();

    ck_assert_ptr_nonnull(find(type));
    ck_assert_ptr_null(find(0));
    ck_assert_ptr_null(find(8));
    ck_assert_ptr_null(find(type + 4));
    ck_assert_ptr_null(find(type + 16));
    ck_assert_ptr_null(find(UINT64_MAX - 7));
    ck_assert_ptr_null(find((pht_addr)1 << 47));
}
END_TEST

START_TEST(an_object_is_not_a_type)
{
    ck_assert_ptr_null(find(objects_str(objects, "list")));
    ck_assert_ptr_null(find(objects->module_key));
}
END_TEST

START_TEST(a_static_name_has_no_control_characters)
{
    ck_assert_ptr_null(find(static_type("\x1b[31m", 0, 16)));
    ck_assert_ptr_null(find(static_type("", 0, 16)));
    ck_assert_ptr_nonnull(find(static_type("na\xc3\xafve", 0, 16)));
}
END_TEST

START_TEST(a_type_is_cut_off_by_the_end_of_memory)
{
    pht_addr end = OBJECTS_HEAP + OBJECTS_HEAP_BYTES;

    objects->next = end - 960;
    pht_addr type = objects_type(objects, &(struct objects_type){.name = NULL, .basicsize = 16});
    fake_target_put_u64(objects->fake, type + 24,
                        fake_target_u64(objects->fake, objects->dict_type + 24));
    ck_assert_ptr_nonnull(find(type));
    /* All of PyTypeObject and no more: not enough for a heap type. */
    unsigned char bytes[408];
    memcpy(bytes, fake_target_bytes(objects->fake, type, sizeof(bytes)), sizeof(bytes));
    fake_target_put(objects->fake, end - 408, bytes, 408);
    pht_types_look_again(objects->types);
    ck_assert_ptr_nonnull(find(end - 408));
    fake_target_put_u64(objects->fake, end - 408 + 168, OBJECTS_READY | OBJECTS_HEAPTYPE);
    objects_restart(objects);
    ck_assert_ptr_null(find(end - 408));
}
END_TEST

START_TEST(static_types_of_python2_may_not_be_ready_yet)
{
    teardown();
    objects = objects_create(2, 7);
    pht_addr type = sane_type();
    fake_target_put_u64(objects->fake, type + 168, OBJECTS_GC);
    check_names(type, "m", "T");
    fake_target_put_u64(objects->fake, type + 168, OBJECTS_GC | OBJECTS_HEAPTYPE);
    objects_restart(objects);
    ck_assert_ptr_null(find(type));
}
END_TEST

START_TEST(no_read_where_no_type_can_be)
{
    pht_addr type = sane_type();
    const struct pht_range ranges[] = {{OBJECTS_HEAP - 4096, OBJECTS_HEAP - 16}, {type, type + 8}};

    pht_types_exclude(objects->types, ranges, 2);
    uint64_t reads = objects->fake->read_count;
    ck_assert_ptr_null(find(type));
    ck_assert_uint_eq(objects->fake->read_count, reads);
    ck_assert_ptr_nonnull(find(objects->dict_type));
    pht_types_exclude(objects->types, NULL, 0);
    ck_assert_ptr_nonnull(find(type));
}
END_TEST

/* ---- the chain of types ------------------------------------------------------------------- */

static pht_addr metaclass(pht_addr metatype)
{
    return objects_type(objects, &(struct objects_type){
                                     .name = "Meta",
                                     .flags = OBJECTS_TYPE | OBJECTS_GC,
                                     .basicsize = 904,
                                     .metatype = metatype,
                                     .base = objects->type_type,
                                 });
}

static pht_addr instance_of(pht_addr metatype)
{
    return objects_type(
        objects, &(struct objects_type){.name = "m.C", .basicsize = 16, .metatype = metatype});
}

START_TEST(metaclasses_of_metaclasses)
{
    pht_addr meta = metaclass(metaclass(0));

    check_names(instance_of(meta), "m", "C");
    ck_assert_int_eq(find(meta)->kind, PHT_KIND_TYPE);
    ck_assert_ptr_nonnull(find(instance_of(meta)));
}
END_TEST

START_TEST(a_chain_that_goes_in_circles_ends)
{
    pht_addr first = metaclass(0), second = metaclass(first), own = metaclass(0);

    fake_target_put_u64(objects->fake, first + 8, second);
    fake_target_put_u64(objects->fake, own + 8, own);
    ck_assert_ptr_null(find(instance_of(first)));
    ck_assert_ptr_null(find(first));
    ck_assert_ptr_null(find(own));
}
END_TEST

START_TEST(a_metaclass_is_derived_from_type)
{
    pht_addr impostor = static_type("Meta", OBJECTS_GC, 904);

    ck_assert_ptr_nonnull(find(impostor));
    ck_assert_ptr_null(find(instance_of(impostor)));
}
END_TEST

START_TEST(type_is_found_without_its_symbol)
{
    pht_addr own = metaclass(0);

    fake_target_put_u64(objects->fake, own + 8, own);
    objects->python.layout.type_type = PHT_UNKNOWN;
    objects_restart(objects);
    ck_assert_ptr_null(find(instance_of(own)));
    ck_assert_ptr_nonnull(find(objects->dict_type));
    ck_assert_ptr_nonnull(find(instance_of(metaclass(0))));
}
END_TEST

/* ---- names -------------------------------------------------------------------------------- */

static pht_addr class_named(pht_addr qualname)
{
    pht_addr module = objects_str(objects, "m");

    return objects_type(objects,
                        &(struct objects_type){
                            .name = "T",
                            .flags = OBJECTS_HEAPTYPE | OBJECTS_GC,
                            .basicsize = 16,
                            .qualname = qualname,
                            .dict = objects_dict(objects, &objects->module_key, &module, 1),
                        });
}

/* kind 2 or 4, compact, ready: 72 bytes of head in 3.11 */
static pht_addr wide_str(uint32_t c, uint32_t char_bytes, uint32_t count)
{
    pht_addr str = objects_alloc(objects, 72 + (count + 1) * char_bytes);

    fake_target_put_u64(objects->fake, str + 8, objects->str_type);
    fake_target_put_u64(objects->fake, str + 16, count);
    fake_target_put_u32(objects->fake, str + 32, char_bytes << 2 | 1 << 5 | 1 << 7);
    for (uint32_t i = 0; i < count; i++)
        fake_target_put(objects->fake, str + 72 + i * char_bytes, &c, char_bytes);
    return str;
}

START_TEST(names_of_all_widths)
{
    check_names(class_named(wide_str(0xe9, 1, 2)), "m", "\xc3\xa9\xc3\xa9");
    check_names(class_named(wide_str(0x1234, 2, 2)), "m", "\xe1\x88\xb4\xe1\x88\xb4");
    check_names(class_named(wide_str(0x1f600, 4, 1)), "m", "\xf0\x9f\x98\x80");
    check_names(class_named(wide_str(0xdc80, 2, 1)), "m", "\xed\xb2\x80");
    check_names(class_named(wide_str(0, 1, 1)), "m", "\xc0\x80");
    check_names(class_named(objects_str(objects, "\x1b[31m")), "m", "\x1b[31m");
}
END_TEST

START_TEST(long_names_are_cut_between_characters)
{
    const struct pht_type *type = find(class_named(wide_str(0x1234, 2, 4096)));

    ck_assert_uint_eq(strlen(type->name), 510);
    char text[1024];
    memset(text, 'x', sizeof(text));
    text[1023] = '\0';
    ck_assert_uint_eq(strlen(find(class_named(objects_str(objects, text)))->name), 512);
    memcpy(text + 510, "\xe1\x88\xb4", 3);
    ck_assert_uint_eq(strlen(find(static_type(text, 0, 16))->name), 510);
}
END_TEST

START_TEST(a_class_of_an_unreadable_name_has_that_of_its_c_string)
{
    check_names(class_named(0), "builtins", "T");
    check_names(class_named(objects->dict_type), "builtins", "T");
    pht_addr huge = wide_str(0x1234, 2, 1);
    fake_target_put_u64(objects->fake, huge + 16, (uint64_t)1 << 60);
    ck_assert_uint_le(strlen(find(class_named(huge))->name), PHT_TYPE_NAME_MAX);
    pht_addr insane = wide_str(0x110000, 4, 1);
    check_names(class_named(insane), "builtins", "T");
}
END_TEST

START_TEST(two_types_of_one_name_stay_two)
{
    pht_addr one = objects_class(objects, "C", "m", 0), other = objects_class(objects, "C", "m", 0);

    check_names(one, "m", "C");
    check_names(other, "m", "C");
    ck_assert_uint_eq(find(one)->index, 0);
    ck_assert_uint_eq(find(other)->index, 1);
    ck_assert_ptr_eq(pht_types_get(objects->types, 1), find(other));
}
END_TEST

START_TEST(names_in_pages_that_are_not_loaded)
{
    pht_addr text = OBJECTS_HEAP + OBJECTS_HEAP_BYTES;
    pht_addr type = sane_type();

    fake_target_map(objects->fake, text, text + 4096, FAKE_FILE | FAKE_READ_ONLY);
    fake_target_put_u64(objects->fake, type + 24, text);
    check_names(type, "", "");
}
END_TEST

START_TEST(names_in_pages_that_are_not_loaded_are_in_the_file)
{
    pht_addr text = OBJECTS_HEAP + OBJECTS_HEAP_BYTES;
    pht_addr deque = static_type("", OBJECTS_GC, objects->layout.deque_bytes);

    objects->fake->has_files = true;
    fake_target_map(objects->fake, text, text + 4096, FAKE_FILE | FAKE_READ_ONLY);
    fake_target_put(objects->fake, text, "collections.deque", sizeof("collections.deque"));
    fake_target_put_u64(objects->fake, deque + 24, text);
    check_names(deque, "collections", "deque");
    ck_assert_int_eq(find(deque)->kind, PHT_KIND_DEQUE);
}
END_TEST

/* ---- the module, in a dict ---------------------------------------------------------------- */

static pht_addr class_with_dict(pht_addr dict)
{
    return objects_type(objects, &(struct objects_type){
                                     .name = "T",
                                     .flags = OBJECTS_HEAPTYPE | OBJECTS_GC,
                                     .basicsize = 16,
                                     .qualname = objects_str(objects, "T"),
                                     .dict = dict,
                                 });
}

#define MANY 5000

/* __module__ at the place `at` among thousands of attributes. */
static pht_addr large_dict(size_t at)
{
    static pht_addr keys[MANY], values[MANY];

    for (size_t i = 0; i < MANY; i++) {
        keys[i] = OBJECTS_HEAP + 64 * i + 4; /* at which nothing begins */
        values[i] = OBJECTS_HEAP;
    }
    if (at < MANY) {
        keys[at] = objects->module_key;
        values[at] = objects_str(objects, "far");
    }
    return objects_dict(objects, keys, values, MANY);
}

START_TEST(the_module_stands_anywhere_in_the_dict)
{
    /* Known by its address from here on. */
    check_names(objects_class(objects, "C", "m", 0), "m", "C");
    check_names(class_with_dict(large_dict(0)), "far", "T");
    check_names(class_with_dict(large_dict(MANY - 1)), "far", "T");
    check_names(class_with_dict(large_dict(MANY)), "", "T");
}
END_TEST

START_TEST(a_dict_without_end_is_not_walked)
{
    pht_addr dict = large_dict(MANY), keys = fake_target_u64(objects->fake, dict + 32);

    fake_target_put_u64(objects->fake, keys + 8, 40 | 3 << 8);
    fake_target_put_u64(objects->fake, keys + 24, (uint64_t)1 << 39);
    fake_target_put_u64(objects->fake, keys + 16, 0);
    uint64_t reads = objects->fake->read_count;
    check_names(class_with_dict(dict), "", "T");
    ck_assert_uint_lt(objects->fake->read_count - reads, 1000);
}
END_TEST

START_TEST(odd_dicts_name_no_module)
{
    pht_addr number = objects_alloc(objects, 32), dict;

    check_names(class_with_dict(0), "", "T");
    check_names(class_with_dict(0x123456789000), "", "T");
    fake_target_put_u64(objects->fake, number + 8, objects->dict_type);
    dict = objects_dict(objects, &objects->module_key, &number, 1);
    check_names(class_with_dict(dict), "", "T");
    dict = objects_dict(objects, &objects->module_key, &objects->module_key, 1);
    fake_target_put_u64(objects->fake, dict + 40, OBJECTS_HEAP); /* values apart */
    check_names(class_with_dict(dict), "", "T");
    check_names(class_with_dict(objects_dict(objects, NULL, NULL, 0)), "", "T");
}
END_TEST

START_TEST(the_module_of_python2_is_in_a_table)
{
    teardown();
    objects = objects_create(2, 7);
    pht_addr dict = objects_alloc(objects, 248), class;
    fake_target_put_u64(objects->fake, dict + 32, 7);
    fake_target_put_u64(objects->fake, dict + 40, dict + 56);
    fake_target_put_u64(objects->fake, dict + 56 + 24 * 5 + 8, objects->module_key);
    fake_target_put_u64(objects->fake, dict + 56 + 24 * 5 + 16, objects_str(objects, "old"));
    class = objects_type(objects, &(struct objects_type){.name = "Dot.ted",
                                                         .flags = OBJECTS_HEAPTYPE | OBJECTS_GC,
                                                         .basicsize = 32,
                                                         .dict = dict});
    check_names(class, "old", "Dot.ted");
    fake_target_put_u64(objects->fake, dict + 32, 6);
    objects_restart(objects);
    check_names(class, "", "Dot.ted");
}
END_TEST

/* All but its count of references stays where a class was. */
START_TEST(a_class_that_was_freed_is_no_type)
{
    pht_addr class = objects_class(objects, "Gone", "shop", 0);

    fake_target_put_u64(objects->fake, class, 0);
    ck_assert_ptr_null(pht_types_find(objects->types, class));
    fake_target_put_u64(objects->fake, class, 1);
    objects_restart(objects);
    check_names(class, "shop", "Gone");
}
END_TEST

/* A large class of 2.7 may be the first that is met. */
START_TEST(the_first_module_may_be_far_in_its_table)
{
    teardown();
    objects = objects_create(2, 7);
    pht_addr dict = objects_alloc(objects, 248), table = objects_alloc(objects, 24 * 512);
    fake_target_put_u64(objects->fake, dict + 32, 511);
    fake_target_put_u64(objects->fake, dict + 40, table);
    for (pht_addr i = 0; i < 300; i++)
        fake_target_put_u64(objects->fake, table + 24 * i + 8, objects_str(objects, "__other__"));
    fake_target_put_u64(objects->fake, table + 24 * 300 + 8, objects->module_key);
    fake_target_put_u64(objects->fake, table + 24 * 300 + 16, objects_str(objects, "decimal"));
    check_names(objects_type(objects, &(struct objects_type){.name = "Decimal",
                                                             .flags = OBJECTS_HEAPTYPE | OBJECTS_GC,
                                                             .basicsize = 32,
                                                             .dict = dict}),
                "decimal", "Decimal");
}
END_TEST

/* ---- kinds -------------------------------------------------------------------------------- */

START_TEST(kinds_go_by_flags_or_by_names_of_c_types)
{
    static const struct {
        const char *name;
        uint64_t flags;
        uint64_t basicsize;
        enum pht_kind kind;
    } rows[] = {
        {"any", OBJECTS_LIST, 40, PHT_KIND_LIST},
        {"any", OBJECTS_BYTES, 33, PHT_KIND_BYTES},
        {"any", 1 << 24, 24, PHT_KIND_INT},
        {"any", 1 << 26, 24, PHT_KIND_TUPLE},
        {"set", OBJECTS_GC, 200, PHT_KIND_SET},
        {"frozenset", OBJECTS_GC, 200, PHT_KIND_FROZENSET},
        {"bytearray", 0, 56, PHT_KIND_BYTEARRAY},
        {"collections.OrderedDict", OBJECTS_DICT, 112, PHT_KIND_ORDERED_DICT},
        {"collections.deque", OBJECTS_GC, 216, PHT_KIND_DEQUE},
        {"collections.deque", OBJECTS_HEAPTYPE, 216, PHT_KIND_DEQUE},
        {"array.array", OBJECTS_HEAPTYPE, 64, PHT_KIND_ARRAY},
        {"array.array", OBJECTS_HEAPTYPE, 72, PHT_KIND_GENERIC},
        {"set", OBJECTS_HEAPTYPE, 200, PHT_KIND_GENERIC}, /* a class by that name */
        {"code", 0, 184, PHT_KIND_CODE},
        {"frame", OBJECTS_GC, 56, PHT_KIND_FRAME},
        {"coroutine", OBJECTS_GC, 88, PHT_KIND_GENERATOR},
        {"sets", OBJECTS_GC, 200, PHT_KIND_GENERIC},
    };

    pht_addr type = static_type(rows[_i].name, rows[_i].flags, rows[_i].basicsize);
    ck_assert_int_eq(find(type)->kind, rows[_i].kind);
    /* And what is derived from it, through a class that was never met. */
    objects_restart(objects);
    pht_addr between = objects_class(objects, "Between", "m", type);
    pht_addr class = objects_class(objects, "Class", "m", between);
    uint64_t inherited = rows[_i].flags & ~(uint64_t)OBJECTS_HEAPTYPE;
    fake_target_put_u64(objects->fake, class + 168,
                        OBJECTS_READY | OBJECTS_HEAPTYPE | OBJECTS_GC | inherited);
    ck_assert_int_eq(find(class)->kind, rows[_i].kind);
    ck_assert_uint_eq(pht_types_count(objects->types), 1);
}
END_TEST

START_TEST(bases_that_go_in_circles_end)
{
    pht_addr one = objects_class(objects, "A", "m", 0),
             other = objects_class(objects, "B", "m", one);

    fake_target_put_u64(objects->fake, one + 256, other);
    ck_assert_int_eq(find(one)->kind, PHT_KIND_GENERIC);
    fake_target_put_u64(objects->fake, other + 256, 0x123456789000);
    ck_assert_int_eq(find(other)->kind, PHT_KIND_GENERIC);
}
END_TEST

/* ---- the table ---------------------------------------------------------------------------- */

START_TEST(thousands_of_types)
{
    enum { COUNT = 5000 };
    static pht_addr types[COUNT];

    for (int i = 0; i < COUNT; i++) {
        types[i] = objects_alloc(objects, 960);
        fake_target_put(objects->fake, types[i],
                        fake_target_bytes(objects->fake, objects->dict_type, 960), 960);
        ck_assert_ptr_nonnull(find(types[i]));
    }
    const struct pht_type *first = find(types[0]);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(find(types[i])->index, i);
        ck_assert_uint_eq(find(types[i])->address, types[i]);
        ck_assert_ptr_eq(pht_types_get(objects->types, i), find(types[i]));
    }
    ck_assert_ptr_eq(find(types[0]), first);
    ck_assert_uint_eq(pht_types_count(objects->types), COUNT);
    ck_assert(!pht_types_stats(objects->types).no_memory);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("types");
    TCase *by_version = tcase_create("versions");
    TCase *one = tcase_create("one");

    tcase_add_loop_test(by_version, static_types_are_found_in_all_versions, 0, VERSIONS);
    tcase_add_loop_test(by_version, classes_have_their_own_names_in_all_versions, 0, VERSIONS);
    tcase_add_loop_test(by_version, words_in_front_of_objects, 0, 6);
    suite_add_tcase(suite, by_version);
    tcase_add_checked_fixture(one, setup, teardown);
    tcase_add_loop_test(one, a_type_with_one_thing_wrong_is_none, 0, 15);
    tcase_add_test(one, odd_addresses_are_none);
    tcase_add_test(one, an_object_is_not_a_type);
    tcase_add_test(one, a_static_name_has_no_control_characters);
    tcase_add_test(one, a_type_is_cut_off_by_the_end_of_memory);
    tcase_add_test(one, static_types_of_python2_may_not_be_ready_yet);
    tcase_add_test(one, no_read_where_no_type_can_be);
    tcase_add_test(one, metaclasses_of_metaclasses);
    tcase_add_test(one, a_chain_that_goes_in_circles_ends);
    tcase_add_test(one, a_metaclass_is_derived_from_type);
    tcase_add_test(one, type_is_found_without_its_symbol);
    tcase_add_test(one, names_of_all_widths);
    tcase_add_test(one, long_names_are_cut_between_characters);
    tcase_add_test(one, a_class_of_an_unreadable_name_has_that_of_its_c_string);
    tcase_add_test(one, two_types_of_one_name_stay_two);
    tcase_add_test(one, names_in_pages_that_are_not_loaded);
    tcase_add_test(one, names_in_pages_that_are_not_loaded_are_in_the_file);
    tcase_add_test(one, the_module_stands_anywhere_in_the_dict);
    tcase_add_test(one, a_dict_without_end_is_not_walked);
    tcase_add_test(one, odd_dicts_name_no_module);
    tcase_add_test(one, the_module_of_python2_is_in_a_table);
    tcase_add_test(one, a_class_that_was_freed_is_no_type);
    tcase_add_test(one, the_first_module_may_be_far_in_its_table);
    tcase_add_loop_test(one, kinds_go_by_flags_or_by_names_of_c_types, 0, 17);
    tcase_add_test(one, bases_that_go_in_circles_end);
    tcase_add_test(one, thousands_of_types);
    suite_add_tcase(suite, one);
    return suite;
}

SUITE_MAIN(make_suite)
