/* What the person reads about a pasted line: what happened, who says so and why, what next, a
 * reference. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include <pes/answer.h>

struct notice {
    const struct pes_answer *answer;
    const char *line; /* as pasted, unsafe to show */
    size_t n_line;
    unsigned columns; /* width of the terminal */
};

/* Writes the whole notice, for a line that does not run now. */
void notice_write(const struct notice *notice, FILE *out);

/* Writes one line about a line that runs without everything having been checked; nothing when
 * everything was. */
void notice_write_passed(const struct notice *notice, FILE *out);
