/* Programs and commands that matter here, and what they are good for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum word {
    WORD_PLAIN = 0,            /* nothing known */
    WORD_FETCH = 1u << 0,      /* gets something from an address */
    WORD_RUN = 1u << 1,        /* runs what it reads or is given, as a program */
    WORD_START = 1u << 2,      /* starts a file */
    WORD_PREFIX = 1u << 3,     /* runs the command that follows */
    WORD_DECODE = 1u << 4,     /* makes one text of another */
    WORD_LANGUAGE = 1u << 5,   /* with WORD_RUN: takes -c or -e, and then reads no program */
    WORD_OTHER = 1u << 6,      /* a known program, nothing more */
    WORD_EXPRESSION = 1u << 7, /* command of PowerShell: may stand inside an expression */
};

/* The table, for those who check its order: the name at `index`, NULL after the last. */
const char *word_name(size_t index);

/* What the word of `n` bytes, in lower case and without folder or .exe, is: flags of enum word. */
uint32_t word_is(const char *word, size_t n);
