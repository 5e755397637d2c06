#include "cmd/completions.h"

#include <string.h>

#include "cmd/option_table.h"

/* The lines of help as one; `escaped` get `escape` before them. */
static void write_help(const char *help, const char *escaped, const char *escape, FILE *file)
{
    for (; *help != '\0'; help++) {
        if (strchr(escaped, *help) != NULL)
            fputs(escape, file);
        fputc(*help == '\n' ? ' ' : *help, file);
    }
}

static bool has_letter(const struct option_row *row)
{
    return row->key < 256;
}

static bool takes_file(const struct option_row *row)
{
    return row->argument != NULL && strcmp(row->argument, "FILE") == 0;
}

/* ---- bash --------------------------------------------------------------------------------- */

/* "--stop=" stands in three words there: option, "=" and value. */
static const char bash_begin[] =
    "_pyheaptop_processes() {\n"
    "    local pid rest IFS=$' \\t\\n'\n"
    "    while read -r pid rest; do\n"
    "        [[ $pid == \"$2\"* && $pid != pid ]] && COMPREPLY+=(\"$pid  $rest\")\n"
    "    done < <(\"$1\" 2>/dev/null)\n"
    "    # What tells them apart is not to stand on the line.\n"
    "    [ ${#COMPREPLY[@]} -eq 1 ] && COMPREPLY=(\"${COMPREPLY[0]%% *}\")\n"
    "}\n"
    "\n"
    "_pyheaptop() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local joined='' IFS=$'\\n'\n"
    "    if [ \"$word\" = \"=\" ]; then\n"
    "        joined=yes word=''\n"
    "    elif [ \"$option\" = \"=\" ]; then\n"
    "        joined=yes option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    case $option${joined:+=} in\n";

static const char bash_end[] = "    *) _pyheaptop_processes \"$1\" \"$word\" ;;\n"
                               "    esac\n"
                               "}\n"
                               "complete -o nosort -F _pyheaptop pyheaptop\n";

static void write_bash_words(const char *words, FILE *file)
{
    fputs("        mapfile -t COMPREPLY < <(compgen -W '", file);
    for (; *words != '\0'; words++)
        fputc(*words == ' ' ? '\n' : *words, file);
    fputs("' -- \"$word\")\n", file);
}

/* A value that may be missing is never a word of its own. */
static void write_bash_value(const struct option_row *row, FILE *file)
{
    if (row->argument == NULL)
        return;
    fputs("    ", file);
    if (has_letter(row))
        fprintf(file, "-%c | ", row->key);
    if (option_needs_value(row))
        fprintf(file, "--%s | ", row->name);
    fprintf(file, "--%s=)\n", row->name);
    if (row->values != NULL)
        write_bash_words(row->values, file);
    else if (takes_file(row))
        fputs("        compopt -o filenames\n"
              "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n",
              file);
    fputs("        return\n"
          "        ;;\n",
          file);
}

static void write_bash(const struct option_row *rows, size_t count, FILE *file)
{
    fputs(bash_begin, file);
    for (size_t i = 0; i < count; i++)
        write_bash_value(&rows[i], file);
    fputs("    esac\n"
          "    case $word in\n"
          "    -*)\n"
          "        mapfile -t COMPREPLY < <(compgen -W '",
          file);
    for (size_t i = 0; i < count; i++) {
        if (has_letter(&rows[i]))
            fprintf(file, "-%c\n", rows[i].key);
        fprintf(file, "--%s%s\n", rows[i].name, option_needs_value(&rows[i]) ? "=" : "");
    }
    fputs("' -- \"$word\")\n"
          "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
          "        ;;\n",
          file);
    fputs(bash_end, file);
}

/* ---- zsh ---------------------------------------------------------------------------------- */

static const char zsh_begin[] =
    "#compdef pyheaptop\n"
    "\n"
    "_pyheaptop_processes() {\n"
    "    local pid rest\n"
    "    local -a processes\n"
    "    while read -r pid rest; do\n"
    "        [[ $pid == pid ]] || processes+=(\"$pid:${rest//:/\\\\:}\")\n"
    "    done < <($words[1] 2>/dev/null)\n"
    "    _describe -V 'Python process' processes\n"
    "}\n"
    "\n"
    "_pyheaptop() {\n"
    "    _arguments -s -S \\\n";

static const char zsh_end[] = "        '1: :_pyheaptop_processes'\n"
                              "}\n"
                              "\n"
                              "if [ \"$funcstack[1]\" = _pyheaptop ]; then\n"
                              "    _pyheaptop \"$@\"\n"
                              "else\n"
                              "    compdef _pyheaptop pyheaptop\n"
                              "fi\n";

static void write_zsh_form(const char *option, const struct option_row *row, const char *joint,
                           FILE *file)
{
    fprintf(file, "        '*%s%s[", option, row->argument != NULL ? joint : "");
    write_help(row->help, "'", "'\\'", file);
    fputc(']', file);
    if (row->argument != NULL) {
        fputs(option_needs_value(row) ? ":value:" : "::value:", file);
        if (row->values != NULL)
            fprintf(file, "(%s)", row->values);
        else
            fputs(takes_file(row) ? "_files" : " ", file);
    }
    fputs("' \\\n", file);
}

static void write_zsh(const struct option_row *rows, size_t count, FILE *file)
{
    char option[64];

    fputs(zsh_begin, file);
    for (size_t i = 0; i < count; i++) {
        snprintf(option, sizeof(option), "--%s", rows[i].name);
        write_zsh_form(option, &rows[i], option_needs_value(&rows[i]) ? "=" : "=-", file);
        snprintf(option, sizeof(option), "-%c", rows[i].key);
        if (has_letter(&rows[i]))
            write_zsh_form(option, &rows[i], "+", file);
    }
    fputs(zsh_end, file);
}

/* ---- fish --------------------------------------------------------------------------------- */

static const char fish_begin[] =
    "function __pyheaptop_processes\n"
    "    set -l words (commandline -opc)\n"
    "    $words[1] 2>/dev/null | string replace -rf '^ *(\\d+) +(\\S+) +(.*)$' '$1\\t$2  $3'\n"
    "end\n"
    "complete -c pyheaptop -f -k -a '(__pyheaptop_processes)'\n";

static void write_fish(const struct option_row *rows, size_t count, FILE *file)
{
    fputs(fish_begin, file);
    for (size_t i = 0; i < count; i++) {
        const struct option_row *row = &rows[i];
        fprintf(file, "complete -c pyheaptop -l %s", row->name);
        if (has_letter(row))
            fprintf(file, " -s %c", row->key);
        if (takes_file(row))
            fputs(" -r -F", file);
        else if (option_needs_value(row))
            fputs(" -x", file);
        if (row->values != NULL)
            fprintf(file, " -a '%s'", row->values);
        fputs(" -d '", file);
        write_help(row->help, "'\\", "\\", file);
        fputs("'\n", file);
    }
}

void completions_write(enum completions_shell shell, FILE *file)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);

    switch (shell) {
    case COMPLETIONS_BASH:
        write_bash(rows, count, file);
        return;
    case COMPLETIONS_ZSH:
        write_zsh(rows, count, file);
        return;
    case COMPLETIONS_FISH:
        write_fish(rows, count, file);
        return;
    }
}
