/*
 * feed_text: hashes one a line, and ClamAV's .hdb and .hsb.
 *
 * plain: a hash, then nothing, or a blank, comma, semicolon or bar and a name; what comes after the
 * next comma or bar is left. '#' or ';' begins a comment. The output of sha256sum is read as it is.
 *
 * ClamAV: HASH:SIZE:NAME[:MIN[:MAX]]. The size is checked for form and not kept: the digest is of
 * all bytes, and another length is another digest. The length of the hash tells the algorithm, as
 * it does for ClamAV, whatever the file is called. SIZE:HASH:NAME is about a section of a program,
 * not about a file, and refused.
 */
#include "providers/hashlist/build/feed_text.h"

#include <string.h>

#define CLAMAV_FIELDS_MAX 5

void text_trim(const char **text, size_t *n_text)
{
    while (*n_text > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*n_text)--;
    }
    while (*n_text > 0 && ((*text)[*n_text - 1] == ' ' || (*text)[*n_text - 1] == '\t')) {
        (*n_text)--;
    }
}

/* What is left of `text` up to any of `ends`. */
static size_t until(const char *text, size_t n_text, const char *ends)
{
    size_t n = 0;

    while (n < n_text && (text[n] == '\0' || !strchr(ends, text[n]))) {
        n++;
    }
    return n;
}

static int take_or_refuse(struct feed *feed, const char *hash, size_t n_hash, const char *name,
                          size_t n_name)
{
    struct file_hashes hashes = {.has = {false}};

    switch (hash_take(&hashes, hash, n_hash)) {
    case HASH_GOOD:
        return feed_take(feed, &hashes, name, n_name);
    case HASH_OTHER:
        feed->n_ignored++;
        return 0;
    case HASH_BAD:
        break;
    }
    feed_refuse(feed, hash_reason(hash, n_hash));
    return 0;
}

int feed_plain_line(struct feed *feed, const char *line, size_t n_line)
{
    size_t n_hash = hash_digits(line, n_line);
    const char *name;
    size_t n_name;

    n_hash += until(line + n_hash, n_line - n_hash, " \t,;|");
    name = line + n_hash;
    n_name = n_line - n_hash;
    text_trim(&name, &n_name);
    if (n_name > 0 && (*name == ',' || *name == '|' || *name == '*')) {
        name++;
        n_name--;
    }
    text_trim(&name, &n_name);
    n_name = until(name, n_name, ",|;#");
    text_trim(&name, &n_name);
    return take_or_refuse(feed, line, n_hash, name, n_name);
}

static bool is_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return n > 0 && n <= 19;
}

int feed_clamav_line(struct feed *feed, const char *line, size_t n_line)
{
    const char *fields[CLAMAV_FIELDS_MAX];
    size_t lengths[CLAMAV_FIELDS_MAX];
    size_t n_fields = 0;

    for (size_t at = 0; at <= n_line; n_fields++) {
        size_t n = until(line + at, n_line - at, ":");

        if (n_fields == CLAMAV_FIELDS_MAX) {
            feed_refuse(feed, "more than HASH:SIZE:NAME:MIN:MAX");
            return 0;
        }
        fields[n_fields] = line + at;
        lengths[n_fields] = n;
        at += n + 1;
    }
    if (n_fields < 3 || lengths[2] == 0) {
        feed_refuse(feed, "not HASH:SIZE:NAME");
        return 0;
    }
    if (is_number(fields[0], lengths[0]) && lengths[0] < 20 &&
        hash_digits(fields[1], lengths[1]) >= 32) {
        feed_refuse(feed, "SIZE:HASH:NAME is about a section of a program, not about a file");
        return 0;
    }
    if (!is_number(fields[1], lengths[1]) && !(lengths[1] == 1 && *fields[1] == '*')) {
        feed_refuse(feed, "the size is neither a number nor '*'");
        return 0;
    }
    for (size_t i = 3; i < n_fields; i++) {
        if (!is_number(fields[i], lengths[i])) {
            feed_refuse(feed, "a functionality level is not a number");
            return 0;
        }
    }
    return take_or_refuse(feed, fields[0], lengths[0], fields[2], lengths[2]);
}

int feed_text_line(void *feed_text, uint64_t number, const char *line, size_t n_line)
{
    struct feed_text *text = feed_text;
    struct feed *feed = text->feed;

    feed->line = number;
    if (!line) {
        feed_refuse(feed, "longer than a line may be (16 KiB)");
        return 0;
    }
    text_trim(&line, &n_line);
    if (n_line == 0) {
        return 0;
    }
    if (feed->format == FEED_CSV) {
        return feed_csv_line(text, line, n_line);
    }
    if (*line == '#' || *line == ';') {
        return 0;
    }
    return feed->format == FEED_CLAMAV ? feed_clamav_line(feed, line, n_line)
                                       : feed_plain_line(feed, line, n_line);
}
