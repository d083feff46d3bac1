/* Inputs that are read line by line. */
#pragma once

#include "providers/hashlist/build/feed.h"

#define FEED_COLUMNS_MAX 64u

/* Which column of a CSV holds what; -1: none. */
struct csv_columns {
    size_t n_columns; /* 0: not known yet */
    int hashes[LIST_N_ALGORITHMS];
    int any_hash; /* of whatever algorithm, by its length */
    int type;     /* says what `any_hash` is */
    int name;
};

struct feed_text {
    struct feed *feed;
    struct csv_columns columns;
    bool has_rows; /* from then on the columns stay what they are */
};

/* A line of the feed's format, for text_lines. */
int feed_text_line(void *feed_text, uint64_t number, const char *line, size_t n_line);

/* Each takes one line that is neither empty nor a comment. */
int feed_plain_line(struct feed *feed, const char *line, size_t n_line);
int feed_clamav_line(struct feed *feed, const char *line, size_t n_line);
int feed_csv_line(struct feed_text *text, const char *line, size_t n_line);

/* Reads the names of the columns; false when none of them is a hash. */
bool feed_csv_header(struct csv_columns *columns, const char *line, size_t n_line);

/* How many fields a line has; 0 when it is not one of a CSV. */
size_t feed_csv_fields(const char *line, size_t n_line);

/* Removes blanks at both ends. */
void text_trim(const char **text, size_t *n_text);
