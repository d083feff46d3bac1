/* What an answer means for whoever ran `pes scan`: outcome, exit status, words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/answer.h>

enum outcome {
    OUTCOME_CLEAN = 1, /* everything was looked at, nothing was found */
    OUTCOME_FOUND,     /* somebody found something */
    OUTCOME_UNCHECKED, /* nothing was found, and not everything was looked at */
    OUTCOME_UNASKED,   /* the question could not be asked */
    OUTCOME_UNREAD,    /* there was nothing that could be asked about */
};

enum exit_status {
    EXIT_CLEAN = 0,
    EXIT_FOUND = 1,
    EXIT_NOT_ASKED = 2,
    EXIT_NOT_CHECKED = 3,
    EXIT_USAGE = 64,
};

/* How many items ended how. */
struct tally {
    uint64_t n_items;
    uint64_t n_found;
    uint64_t n_unchecked;
    uint64_t n_unasked;
    uint64_t n_unread;
};

enum outcome outcome_of(const struct pes_answer_info *info);

void tally_add(struct tally *tally, enum outcome outcome);
/* Found wins over not asked or read, that over not checked. */
int tally_exit_status(const struct tally *tally);

/* Whether a part's status leaves a hole: the provider should have answered and did not. */
bool status_is_missing(uint32_t status);

/* Why less than everything was looked at, in words. */
const char *coverage_words(uint32_t coverage);

#define OUTCOME_TEXT_BYTES 96

/* Why a part has no answer: "crashed (SIGSEGV)", "no answer in time". */
const char *part_words(char ret_text[static OUTCOME_TEXT_BYTES], const struct pes_part *part);
