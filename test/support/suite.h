/*
 * One main() for every test program. The environment steers the run as libcheck documents:
 * CK_FORK=no, CK_VERBOSITY, CK_RUN_CASE, CK_TAP_LOG_FILE_NAME.
 */
#ifndef PHT_TEST_SUPPORT_SUITE_H
#define PHT_TEST_SUPPORT_SUITE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static inline int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Leave a test that cannot be run here; test/run.sh shows and counts the line. */
#define SKIP_TEST(why)                                                                             \
    do {                                                                                           \
        printf("skip %s: %s\n", __func__, why);                                                    \
        return;                                                                                    \
    } while (0)

/* `make` returns the suite of the program. */
#define SUITE_MAIN(make)                                                                           \
    int main(void)                                                                                 \
    {                                                                                              \
        return suite_run(make());                                                                  \
    }

#endif
