/* What to tell the person: one to three sentences. */
#pragma once

#include <stddef.h>

struct pes_answer;
struct answer_about;

/* Writes them; always terminated and never empty. `about`: NULL for an answer of the broker's. */
void message_compose(char *out, size_t n_out, const struct pes_answer *answer,
                     const struct answer_about *about);
