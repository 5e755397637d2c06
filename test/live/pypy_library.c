/* What tells PyPy's library from others, and nothing of PyPy. */
int rpython_startup_code(void);

extern char pypy_version[];

/* Not const: PyPy's strings are objects in .data, with their length before them. */
char pypy_version[] = "3.9.16 (...)\n[PyPy 7.3.11 with GCC 12.2.0]";

int rpython_startup_code(void)
{
    return 0;
}
