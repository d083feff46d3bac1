/* What to tell the person: one to three sentences. */
#pragma once

#include <stddef.h>

struct pes_answer;

/* Writes them; always terminated and never empty. `policy_error` may be "". */
void message_compose(char *out, size_t n_out, const struct pes_answer *answer,
                     const char *policy_error);
