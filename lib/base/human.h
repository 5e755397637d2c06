/*
 * Numbers for people: one formatter for every view, so that a size looks the same everywhere.
 * Rounding is to three significant digits, units are powers of 1024.
 */
#ifndef PHT_LIB_BASE_HUMAN_H
#define PHT_LIB_BASE_HUMAN_H

#include <stddef.h>
#include <stdint.h>

/* Enough for every text below, the terminating NUL included. */
#define PHT_HUMAN_MAX 32

/* 0 -> "0B", 1008 -> "1008B", 1740000000 -> "1.62G". */
const char *pht_human_bytes(uint64_t bytes, char text[static PHT_HUMAN_MAX]);

/* 51370 -> "51,370". */
const char *pht_human_count(uint64_t count, char text[static PHT_HUMAN_MAX]);

/* A share with one decimal, 12 of 34 -> "35.3"; "100.0" is the whole alone. */
const char *pht_human_percent(uint64_t part, uint64_t whole, char text[static PHT_HUMAN_MAX]);

/* What a noun ends in after `count`: "s", "" after 1. */
const char *pht_human_plural(uint64_t count);

/* 850 us -> "0.85 ms", 41000 us -> "41 ms", 630000 us -> "0.63 s". */
const char *pht_human_duration(uint64_t us, char text[static PHT_HUMAN_MAX]);

/* 273060 s -> "3d 03:51", 65 s -> "0:01:05". */
const char *pht_human_uptime(uint64_t seconds, char text[static PHT_HUMAN_MAX]);

#endif
