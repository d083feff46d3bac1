/* Operations on texts that scripts put together: each gives a new text and keeps the ranges. */
#pragma once

#include "providers/command/text.h"

#define OPERANDS_MAX 64

/* A list of texts. */
struct operands {
    struct text items[OPERANDS_MAX];
    size_t n;
};

#define OPERANDS_INIT                                                                              \
    {                                                                                              \
        .n = 0                                                                                     \
    }

void operands_fini(struct operands *operands);
/* A new, empty item, or NULL when there are too many. */
struct text *operands_add(struct operands *operands, size_t n_max);

/* PowerShell's -f: {0}, {1,5}, {{. */
void operation_format(const struct text *format, const struct operands *operands,
                      struct text *ret_text);
void operation_join(const struct operands *operands, const struct text *separator,
                    struct text *ret_text);
/* Every `old`, in any case, becomes `new_text`. */
void operation_replace(const struct text *text, const struct text *old, const struct text *new_text,
                       struct text *ret_text);
void operation_reverse(const struct text *text, struct text *ret_text);
/* The characters at `indices`; those below 0 count from the end. */
void operation_pick(const struct text *text, const int64_t *indices, size_t n_indices,
                    struct text *ret_text);
