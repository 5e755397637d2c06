/* Code that uses variables in each way that instructions have, and code that only looks so. */
#include <elf.h>
#include <string.h>

#include "layout/references.h"
#include "support/elf_bytes.h"
#include "support/suite.h"

#define CODE 0x400000
#define CODE_BYTES 0x6000
#define DATA 0x600000
#define DATA_BYTES 0x3000
#define CONSTANTS 0x700000

#define FUNCTION (CODE + 0x100)
#define FUNCTION_BYTES 0x200
#define FAR (CODE + 0x3000) /* a function that has no symbol */
#define LAST 0x20           /* bytes of a function at the end of the code */

static unsigned char code[CODE_BYTES];
static struct pht_references found;
static uint64_t function_bytes;
static uint16_t file_type;
static uint64_t data_address;

static void setup(void)
{
    memset(code, 0x90, sizeof(code));
    function_bytes = FUNCTION_BYTES;
    file_type = ET_DYN;
    data_address = DATA;
}

static void open_image(struct pht_elf_image *image)
{
    const struct elf_bytes_segment segments[] = {
        {.flags = PF_R | PF_X, .address = CODE, .bytes = code, .byte_count = sizeof(code)},
        {.flags = PF_R | PF_W, .address = data_address, .size = DATA_BYTES},
        {.flags = PF_R, .address = CONSTANTS, .size = DATA_BYTES},
    };
    const struct elf_bytes_symbol symbols[] = {
        {"function", FUNCTION, function_bytes},
        {"outside", CODE + CODE_BYTES - 8, 16},
        {"data", DATA, 16},
        {"twice", FUNCTION, 16},
        {"twice", FUNCTION + 16, 16},
    };
    const struct elf_bytes file = {file_type, segments, 3, symbols, 5};

    elf_bytes_open(&file, image);
}

static void find(const char *function)
{
    struct pht_elf_image image;

    open_image(&image);
    memset(&found, 0xa5, sizeof(found));
    pht_references_find(&image, function, &found);
    pht_elf_image_close(&image);
}

static void find_at(uint64_t function)
{
    struct pht_elf_image image;

    open_image(&image);
    memset(&found, 0xa5, sizeof(found));
    pht_references_at(&image, function, &found);
    pht_elf_image_close(&image);
}

static bool is_found(uint64_t address)
{
    for (size_t i = 0; i < found.count; i++) {
        if (found.items[i] == address)
            return true;
    }
    return false;
}

/* An instruction at `address`: opcode and ModRM, displacement of `target`, immediate operand. */
static void put(uint64_t address, const char *opcode, size_t opcode_bytes, uint64_t target,
                size_t immediate)
{
    unsigned char *at = code + (address - CODE);
    uint64_t end = address + opcode_bytes + 4 + immediate;
    uint32_t displacement = (uint32_t)(target - end);

    memcpy(at, opcode, opcode_bytes);
    memcpy(at + opcode_bytes, &displacement, sizeof(displacement));
    memset(at + opcode_bytes + 4, 0x11, immediate);
}

static void put_load(uint64_t address, uint64_t target)
{
    put(address, "\x8b\x05", 2, target, 0); /* mov target(%rip),%eax */
}

static void put_call(uint64_t address, uint64_t target)
{
    put(address, "\xe8", 1, target, 0);
}

/* ---- operands ----------------------------------------------------------------------------- */

static const struct operand_row {
    const char *opcode;
    size_t opcode_bytes;
    size_t immediate;
    bool may_be_int;
} operand_rows[] = {
    {"\x8b\x05", 2, 0, true},          /* mov v(%rip),%eax */
    {"\x48\x8b\x3d", 3, 0, false},     /* mov v(%rip),%rdi */
    {"\x4c\x8d\x35", 3, 0, false},     /* lea v(%rip),%r14 */
    {"\x48\x89\x05", 3, 0, false},     /* mov %rax,v(%rip) */
    {"\xff\x25", 2, 0, false},         /* jmp *v(%rip) */
    {"\x83\x3d", 2, 1, true},          /* cmpl $1,v(%rip) */
    {"\x48\x83\x05", 3, 1, false},     /* addq $1,v(%rip) */
    {"\x80\x3d", 2, 1, true},          /* cmpb $1,v(%rip) */
    {"\xc6\x05", 2, 1, true},          /* movb $1,v(%rip) */
    {"\xc1\x25", 2, 1, true},          /* shll $1,v(%rip) */
    {"\xc0\x2d", 2, 1, true},          /* shrb $1,v(%rip) */
    {"\x6b\x05", 2, 1, true},          /* imul $1,v(%rip),%eax */
    {"\x69\x05", 2, 4, true},          /* imul $1,v(%rip),%eax */
    {"\x81\x3d", 2, 4, true},          /* cmpl $1,v(%rip) */
    {"\xc7\x05", 2, 4, true},          /* movl $1,v(%rip) */
    {"\x48\xc7\x05", 3, 4, false},     /* movq $1,v(%rip) */
    {"\xf6\x05", 2, 1, true},          /* testb $1,v(%rip) */
    {"\xf7\x05", 2, 4, true},          /* testl $1,v(%rip) */
    {"\xf7\x1d", 2, 0, true},          /* negl v(%rip) */
    {"\xf6\x15", 2, 0, true},          /* notb v(%rip) */
    {"\x0f\xb6\x05", 3, 0, false},     /* movzbl v(%rip),%eax */
    {"\xf3\x0f\x6f\x05", 4, 0, false}, /* movdqu v(%rip),%xmm0 */
    {"\x0f\x11\x05", 3, 0, false},     /* movups %xmm0,v(%rip) */
    {"\x0f\xba\x25", 3, 1, false},     /* btl $1,v(%rip) */
    {"\x66\x0f\x70\x05", 4, 1, false}, /* pshufd $1,v(%rip),%xmm0 */
    {"\x0f\xc1\x05", 3, 0, false},     /* xadd %eax,v(%rip): no immediate, unlike C1 alone */
    {"\x48\x63\x05", 3, 0, true},      /* movslq v(%rip),%rax */
    {"\x48\x3b\x15", 3, 0, false},     /* cmp v(%rip),%rdx */
    {"\x44\x89\x2d", 3, 0, true},      /* mov %r13d,v(%rip) */
    {"\xff\x05", 2, 0, true},          /* incl v(%rip) */
    {"\x48\xff\x05", 3, 0, false},     /* incq v(%rip) */
    {"\xff\x35", 2, 0, false},         /* push v(%rip) */
    {"\xff\x15", 2, 0, false},         /* call *v(%rip) */
};

START_TEST(an_operand_is_found_whatever_stands_behind_it)
{
    const struct operand_row *row = &operand_rows[_i];

    put(FUNCTION + 0x40, row->opcode, row->opcode_bytes, DATA + 0x123, row->immediate);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.items[0], DATA + 0x123);
    ck_assert(found.may_be_int[0] == row->may_be_int);
}
END_TEST

START_TEST(one_use_as_an_int_is_enough)
{
    put(FUNCTION, "\x48\x8d\x05", 3, DATA, 0); /* lea v(%rip),%rax */
    put_load(FUNCTION + 0x10, DATA);
    put(FUNCTION + 0x20, "\x48\x8b\x05", 3, DATA, 0); /* mov v(%rip),%rax */
    put(FUNCTION + 0x30, "\x48\x8b\x05", 3, DATA + 8, 0);
    find("function");
    ck_assert_uint_eq(found.count, 2);
    ck_assert(found.may_be_int[0]);
    ck_assert(!found.may_be_int[1]);
}
END_TEST

START_TEST(an_operand_may_be_behind_the_variable)
{
    data_address = CODE - 0x10000;
    put_load(FUNCTION, data_address + 8);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.items[0], data_address + 8);
}
END_TEST

static const char *const other_operands[] = {"\x8b\x45", "\x8b\x85", "\x8b\x04", "\x8b\xc5"};

START_TEST(operands_of_other_kinds_are_none)
{
    put(FUNCTION, other_operands[_i], 2, DATA, 0);
    find("function");
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

START_TEST(an_operand_ends_within_the_function)
{
    put_load(FUNCTION + FUNCTION_BYTES - 6, DATA);
    put_load(FUNCTION + FUNCTION_BYTES, DATA + 8);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    function_bytes--;
    find("function");
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

START_TEST(variables_are_in_writable_segments)
{
    put_load(FUNCTION, CONSTANTS);
    put_load(FUNCTION + 0x10, CODE);
    put_load(FUNCTION + 0x20, DATA + DATA_BYTES);
    put_load(FUNCTION + 0x30, DATA - 1);
    put_load(FUNCTION + 0x40, DATA + DATA_BYTES - 1);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.items[0], DATA + DATA_BYTES - 1);
}
END_TEST

START_TEST(each_is_told_once_in_the_order_of_the_code)
{
    put_load(FUNCTION, DATA + 0x20);
    put_load(FUNCTION + 0x10, DATA + 0x10);
    put_load(FUNCTION + 0x20, DATA + 0x20);
    find("function");
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.items[0], DATA + 0x20);
    ck_assert_uint_eq(found.items[1], DATA + 0x10);
}
END_TEST

START_TEST(only_fixed_code_has_absolute_addresses)
{
    uint32_t address = DATA + 0x40;

    memcpy(code + (FUNCTION - CODE) + 5, &address, sizeof(address));
    put_load(FUNCTION + 0x40, DATA + 0x10);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert(is_found(DATA + 0x10));
    file_type = ET_EXEC;
    find("function");
    ck_assert_uint_eq(found.count, 2);
    ck_assert(is_found(DATA + 0x40));
}
END_TEST

/* Operands of four bytes are numbers with a sign: half of all addresses they cannot name. */
START_TEST(an_absolute_address_has_31_bits)
{
    uint32_t address;

    file_type = ET_EXEC;
    data_address = 0x90000000;
    address = (uint32_t)data_address + 8;
    memcpy(code + (FUNCTION - CODE) + 5, &address, sizeof(address));
    find("function");
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

/* ---- functions ---------------------------------------------------------------------------- */

START_TEST(what_is_no_function_has_none)
{
    static const char *const names[] = {"absent", "outside", "data", "twice", ""};

    put_load(FUNCTION, DATA);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        find(names[i]);
        ck_assert_msg(found.count == 0, "%s", names[i]);
    }
    find("function");
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

static const struct size_row {
    uint64_t size;
    size_t count;
} size_rows[] = {
    {0, 0},          {1, 0},          {4, 0},
    {6, 1},          {8192, 1},       {8193, 0},
    {CODE_BYTES, 0}, {UINT64_MAX, 0}, {UINT64_MAX - FUNCTION + 1, 0},
};

START_TEST(a_function_has_a_size_that_functions_have)
{
    put_load(FUNCTION, DATA);
    function_bytes = size_rows[_i].size;
    find("function");
    ck_assert_uint_eq(found.count, size_rows[_i].count);
}
END_TEST

static const struct call_row {
    const char *opcode;
    size_t opcode_bytes;
} call_rows[] = {{"\xe8", 1}, {"\xe9", 1}, {"\x0f\x84", 2}, {"\x0f\x8f", 2}};

START_TEST(calls_are_followed)
{
    put_load(FUNCTION + 0x40, DATA + 8);
    put(FUNCTION, call_rows[_i].opcode, call_rows[_i].opcode_bytes, FAR, 0);
    put_load(FAR + 0x10, DATA + 16);
    find("function");
    ck_assert_uint_eq(found.items[0], DATA + 8); /* its own come first */
    ck_assert_uint_eq(found.items[1], DATA + 16);
    ck_assert_uint_eq(found.count, 2);
}
END_TEST

START_TEST(the_first_bytes_of_a_called_function_are_enough)
{
    put_call(FUNCTION, FAR);
    put_load(FAR + 2048 - 6, DATA + 24);
    put_load(FAR + 2048, DATA + 32);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.items[0], DATA + 24);
}
END_TEST

START_TEST(calls_of_called_functions_are_not_followed)
{
    put_call(FUNCTION, FAR);
    put_call(FAR, FAR + 0x1000);
    put_load(FAR + 0x1000, DATA);
    find("function");
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

/* Loops, and calls that lead nowhere. */
START_TEST(jumps_within_and_without_the_code_are_not_followed)
{
    put(FUNCTION, "\xe9", 1, FUNCTION + 0x40, 0);
    put_call(FUNCTION + 0x10, FUNCTION);
    put_call(FUNCTION + 0x20, DATA);
    put_call(FUNCTION + 0x30, CODE + CODE_BYTES);
    put_load(FUNCTION + 0x40, DATA);
    put_load(FUNCTION + FUNCTION_BYTES, DATA + 8); /* of the next function */
    find("function");
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

START_TEST(calls_beyond_the_limit_are_not_followed)
{
    for (uint64_t i = 0; i < 17; i++)
        put_call(FUNCTION + 8 * i, FAR + 8 * i);
    put_load(FAR + 2048 + 16 * 8 - 6, DATA); /* of the seventeenth only */
    find("function");
    ck_assert_uint_eq(found.count, 0);
    put_load(FAR + 2048 + 15 * 8 - 6, DATA);
    find("function");
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

START_TEST(a_function_without_a_symbol_is_found_at_its_address)
{
    put_load(FAR, DATA + 8);
    put_call(FAR + 8, FUNCTION);
    put_load(FUNCTION, DATA + 16);
    find_at(FAR);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.items[0], DATA + 8);
    ck_assert_uint_eq(found.items[1], DATA + 16);
}
END_TEST

START_TEST(the_last_functions_of_the_code_are_no_other)
{
    uint64_t last = CODE + CODE_BYTES - LAST;

    put_load(last, DATA + 8);
    find_at(last);
    ck_assert_uint_eq(found.count, 1);
    put_call(FUNCTION, last);
    find("function");
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.items[0], DATA + 8);
}
END_TEST

static const uint64_t odd_addresses[] = {
    0,    1,         CODE - 1,   CODE + CODE_BYTES, CODE + CODE_BYTES - 1, CODE + CODE_BYTES - 3,
    DATA, CONSTANTS, UINT64_MAX, UINT64_MAX - 2047,
};

START_TEST(where_no_code_is_nothing_is_found)
{
    put_load(FUNCTION, DATA);
    find_at(odd_addresses[_i]);
    ck_assert_uint_eq(found.count, 0);
}
END_TEST

START_TEST(no_more_are_told_than_there_is_room_for)
{
    function_bytes = 8192;
    for (uint64_t i = 0; i < PHT_REFERENCES_MAX + 10; i++)
        put_load(FUNCTION + 6 * i, DATA + 8 * i);
    find("function");
    ck_assert_uint_eq(found.count, PHT_REFERENCES_MAX);
    ck_assert_uint_eq(found.items[PHT_REFERENCES_MAX - 1], DATA + 8 * (PHT_REFERENCES_MAX - 1));
}
END_TEST

/* Sizes that no file has room for, and addresses at the end of all of them. */
START_TEST(segments_may_say_anything)
{
    const struct elf_bytes_segment segments[] = {
        {.flags = PF_R | PF_X, .address = CODE, .bytes = code, .byte_count = sizeof(code)},
        {.flags = PF_R | PF_W, .address = DATA, .size = UINT64_MAX},
        {.flags = PF_R | PF_W | PF_X, .address = UINT64_MAX - 15, .size = UINT64_MAX},
    };
    const struct elf_bytes_symbol symbols[] = {
        {"function", FUNCTION, FUNCTION_BYTES},
        {"end", UINT64_MAX - 15, 8192},
    };
    const struct elf_bytes file = {ET_DYN, segments, 3, symbols, 2};
    struct pht_elf_image image;

    put_load(FUNCTION, DATA);
    put_call(FUNCTION + 8, DATA + 4096);
    elf_bytes_open(&file, &image);
    pht_references_find(&image, "function", &found);
    ck_assert(is_found(DATA));
    pht_references_find(&image, "end", &found);
    ck_assert_uint_eq(found.count, 0);
    pht_references_at(&image, UINT64_MAX - 15, &found);
    ck_assert_uint_eq(found.count, 0);
    pht_elf_image_close(&image);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *references_suite(void)
{
    Suite *suite = suite_create("layout/references");
    TCase *operands = tcase_create("operands");
    TCase *functions = tcase_create("functions");

    tcase_add_checked_fixture(operands, setup, NULL);
    tcase_add_loop_test(operands, an_operand_is_found_whatever_stands_behind_it, 0,
                        ROWS(operand_rows));
    tcase_add_test(operands, one_use_as_an_int_is_enough);
    tcase_add_test(operands, an_operand_may_be_behind_the_variable);
    tcase_add_loop_test(operands, operands_of_other_kinds_are_none, 0, ROWS(other_operands));
    tcase_add_test(operands, an_operand_ends_within_the_function);
    tcase_add_test(operands, variables_are_in_writable_segments);
    tcase_add_test(operands, each_is_told_once_in_the_order_of_the_code);
    tcase_add_test(operands, only_fixed_code_has_absolute_addresses);
    tcase_add_test(operands, an_absolute_address_has_31_bits);
    suite_add_tcase(suite, operands);
    tcase_add_checked_fixture(functions, setup, NULL);
    tcase_add_test(functions, what_is_no_function_has_none);
    tcase_add_loop_test(functions, a_function_has_a_size_that_functions_have, 0, ROWS(size_rows));
    tcase_add_loop_test(functions, calls_are_followed, 0, ROWS(call_rows));
    tcase_add_test(functions, the_first_bytes_of_a_called_function_are_enough);
    tcase_add_test(functions, calls_of_called_functions_are_not_followed);
    tcase_add_test(functions, jumps_within_and_without_the_code_are_not_followed);
    tcase_add_test(functions, calls_beyond_the_limit_are_not_followed);
    tcase_add_test(functions, a_function_without_a_symbol_is_found_at_its_address);
    tcase_add_test(functions, the_last_functions_of_the_code_are_no_other);
    tcase_add_loop_test(functions, where_no_code_is_nothing_is_found, 0, ROWS(odd_addresses));
    tcase_add_test(functions, no_more_are_told_than_there_is_room_for);
    tcase_add_test(functions, segments_may_say_anything);
    suite_add_tcase(suite, functions);
    return suite;
}

SUITE_MAIN(references_suite)
