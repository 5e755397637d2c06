/* Texts as they were when somebody last read and approved them. */
#ifndef PHT_TEST_SUPPORT_GOLDEN_H
#define PHT_TEST_SUPPORT_GOLDEN_H

/*
 * `text` is what test/golden/NAME holds. PHT_UPDATE_GOLDEN=1 writes the file anew; what changed is
 * then for `git diff` to show, and for a reader to judge.
 */
void golden_check(const char *text, const char *name);

#endif
