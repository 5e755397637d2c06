#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#include "cmd/progress.h"
#include "support/suite.h"

static const struct format_row {
    struct pht_progress now;
    uint64_t elapsed_us;
    const char *line;
} format_rows[] = {
    {{.stage = PHT_STAGE_LAYOUTS}, 5000000, "finding layouts"},
    {{.stage = PHT_STAGE_OBJECTS, .done = 530, .total = 851, .unit = "arenas"},
     100000,
     "counting objects 62% (530 of 851 arenas)"},
    {{.stage = PHT_STAGE_OBJECTS, .done = 530, .total = 851, .unit = "arenas"},
     5000000,
     "counting objects 62% (530 of 851 arenas), 3 s left"},
    {{.stage = PHT_STAGE_MALLOC, .done = 754974720, .total = 1868310774},
     1000000,
     "walking malloc 40% (720M of 1.74G), 1 s left"},
    {{.stage = PHT_STAGE_MALLOC, .done = 0, .total = 1024},
     9000000,
     "walking malloc 0% (0B of 1.00K)"},
    /* The target grew meanwhile. */
    {{.stage = PHT_STAGE_MALLOC, .done = 3072, .total = 1024},
     2000000,
     "walking malloc 100% (3.00K of 3.00K), 0 s left"},
    {{.stage = PHT_STAGE_FAMILY, .done = UINT64_MAX - 1, .total = UINT64_MAX},
     UINT64_MAX,
     "comparing the family 100% (16.0E of 16.0E), 0 s left"},
};

START_TEST(a_line_says_how_far_it_is)
{
    char line[PROGRESS_LINE_MAX];

    progress_format(&format_rows[_i].now, format_rows[_i].elapsed_us, line);
    ck_assert_str_eq(line, format_rows[_i].line);
}
END_TEST

/* ---- where it is written ------------------------------------------------------------------ */

/* What goes to standard error, a terminal or not, while a stage is told `times` times. */
static void tell(const struct options *options, bool is_terminal, uint64_t ago_us, int times,
                 char *text, size_t size)
{
    struct progress progress;
    const struct pht_progress now = {.stage = PHT_STAGE_SUMS};
    int ends[2], saved = dup(STDERR_FILENO);

    if (is_terminal)
        ck_assert_int_eq(openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0);
    else
        ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    progress_begin(&progress, options);
    progress.began_us -= ago_us;
    for (int i = 0; i < times; i++)
        ck_assert(progress_tell(&progress, &now));
    progress_end(&progress);
    dup2(saved, STDERR_FILENO);
    close(saved);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], text + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    close(ends[1]);
}

START_TEST(a_terminal_gets_one_line_which_goes_away)
{
    const struct options options = {0};
    char text[1000], wanted[200];

    tell(&options, true, 60000000, 50, text, sizeof(text));
    snprintf(wanted, sizeof(wanted), "\r%-79s\r%79s\r", "adding up", "");
    ck_assert_str_eq(text, wanted);
}
END_TEST

START_TEST(the_first_second_is_silent)
{
    const struct options options = {0};
    char text[1000];

    tell(&options, true, 0, 50, text, sizeof(text));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(quiet_is_silent)
{
    const struct options options = {.quiet = true};
    char text[1000];

    tell(&options, true, 60000000, 50, text, sizeof(text));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_file_gets_nothing)
{
    const struct options options = {0};
    char text[1000];

    tell(&options, false, 60000000, 50, text, sizeof(text));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(verbose_is_a_line_a_stage)
{
    const struct options options = {.verbose = true};
    char text[1000];

    tell(&options, false, 0, 50, text, sizeof(text));
    ck_assert_str_eq(text, "pyheaptop: adding up\n");
}
END_TEST

static Suite *progress_suite(void)
{
    Suite *suite = suite_create("cmd/progress");
    TCase *tcase = tcase_create("progress");

    tcase_add_loop_test(tcase, a_line_says_how_far_it_is, 0,
                        (int)(sizeof(format_rows) / sizeof(format_rows[0])));
    tcase_add_test(tcase, a_terminal_gets_one_line_which_goes_away);
    tcase_add_test(tcase, the_first_second_is_silent);
    tcase_add_test(tcase, quiet_is_silent);
    tcase_add_test(tcase, a_file_gets_nothing);
    tcase_add_test(tcase, verbose_is_a_line_a_stage);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(progress_suite)
