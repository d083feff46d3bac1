/*
 * feed_stix: bundles of STIX 2.1 (and 2.0 indicators).
 *
 * What counts:
 * - an indicator whose pattern is of file hashes alone (stix_pattern.c), that is not revoked, not
 *   past its valid_until, and whose indicator_types, if it has any, are not all "benign" or
 *   "anonymization";
 * - a file object that a malware object names in sample_refs, or a malware-analysis object that
 *   came to "malicious" in sample_ref: those say that this very file is bad.
 *
 * What does not: files of observed data, also where an indicator is based on it, and files that
 * some relationship leads to. They were there; the loader, the document and the browser were as
 * well. Such files, and indicators of addresses and the like, are ignored.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "providers/hashlist/build/feed_json.h"
#include "providers/hashlist/build/stix_pattern.h"

struct stix_entry {
    struct feed *feed;
    const char *name;
    size_t n_name;
};

static const char *type_of(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));

    return type ? type : "";
}

/* Times of STIX are UTC, as in 2024-01-01T00:00:00Z. 0: none, or not to be read. */
static uint64_t time_of(const json_t *value)
{
    const char *text = json_string_value(value);
    struct tm time = {.tm_isdst = 0};
    time_t seconds;

    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &time)) {
        return 0;
    }
    seconds = timegm(&time);
    return seconds > 0 ? (uint64_t)seconds : 0;
}

static bool is_harmless(const json_t *types)
{
    const json_t *type;
    size_t n_harmless = 0;
    size_t i;

    json_array_foreach(types, i, type)
    {
        const char *text = json_string_value(type);

        n_harmless += text && (strcmp(text, "benign") == 0 || strcmp(text, "anonymization") == 0);
    }
    return n_harmless > 0 && n_harmless == json_array_size(types);
}

static int file_take(void *data, const struct file_hashes *hashes)
{
    const struct stix_entry *entry = data;

    return feed_take(entry->feed, hashes, entry->name, entry->n_name);
}

static int indicator_take(struct feed *feed, const json_t *indicator)
{
    struct stix_entry entry = {.feed = feed};
    const json_t *pattern = json_object_get(indicator, "pattern");
    const char *language = json_string_value(json_object_get(indicator, "pattern_type"));
    uint64_t until = time_of(json_object_get(indicator, "valid_until"));
    enum stix_outcome outcome;
    int r;

    if (!json_is_string(pattern)) {
        feed_refuse(feed, "an indicator without a pattern");
        return 0;
    }
    if ((language && strcmp(language, "stix") != 0) ||
        json_is_true(json_object_get(indicator, "revoked")) ||
        (until > 0 && until <= feed->sink->now) ||
        is_harmless(json_object_get(indicator, "indicator_types"))) {
        feed->n_ignored++;
        return 0;
    }
    entry.name = feed_json_text(json_object_get(indicator, "name"), &entry.n_name);
    r = stix_pattern_read(json_string_value(pattern), json_string_length(pattern), file_take,
                          &entry, &outcome);
    if (r < 0) {
        return r;
    }
    feed->n_ignored += outcome == STIX_OTHER;
    if (outcome == STIX_BROKEN) {
        feed_refuse(feed, "the pattern is broken, or a hash in it is none");
    }
    return 0;
}

/* Who says that a file is bad: the identifiers of files, each with the name of what it is. */
static int sample_add(json_t *samples, const json_t *id, const json_t *owner)
{
    const json_t *name = json_object_get(owner, "name");

    if (!json_is_string(id)) {
        return 0;
    }
    return json_object_set_new(samples, json_string_value(id),
                               json_is_string(name) ? json_copy((json_t *)name) : json_string(""));
}

static int samples_collect(json_t *samples, const json_t *objects)
{
    const json_t *object;
    size_t i;

    json_array_foreach(objects, i, object)
    {
        const json_t *refs = json_object_get(object, "sample_refs");
        const char *result = json_string_value(json_object_get(object, "result"));
        const json_t *ref;
        size_t j;
        int r = 0;

        if (json_is_true(json_object_get(object, "revoked"))) {
            continue;
        }
        if (strcmp(type_of(object), "malware") == 0) {
            json_array_foreach(refs, j, ref)
            {
                r |= sample_add(samples, ref, object);
            }
        } else if (strcmp(type_of(object), "malware-analysis") == 0 && result &&
                   strcmp(result, "malicious") == 0) {
            r = sample_add(samples, json_object_get(object, "sample_ref"), object);
        }
        if (r < 0) {
            return -1;
        }
    }
    return 0;
}

static int sample_take(struct feed *feed, const json_t *file, const json_t *name)
{
    static const struct {
        const char *key;
        enum list_algorithm algorithm;
    } keys[] = {{"SHA-256", LIST_SHA256}, {"SHA-1", LIST_SHA1}, {"MD5", LIST_MD5}};
    const json_t *stated = json_object_get(file, "hashes");
    struct file_hashes hashes = {.has = {false}};
    bool has_any = false;
    size_t n_name;
    const char *name_text = feed_json_text(name, &n_name);

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const json_t *value = json_object_get(stated, keys[i].key);

        if (!value) {
            continue;
        }
        if (hash_take_as(&hashes, keys[i].algorithm,
                         json_is_string(value) ? json_string_value(value) : "",
                         json_string_length(value)) != HASH_GOOD) {
            feed_refuse(feed, "a hash of the file is none");
            return 0;
        }
        has_any = true;
    }
    if (!has_any) {
        feed->n_ignored++;
        return 0;
    }
    return feed_take(feed, &hashes, name_text, n_name);
}

static int objects_take(struct feed *feed, const json_t *objects, const json_t *samples)
{
    const json_t *object;
    size_t i;
    int r = 0;

    json_array_foreach(objects, i, object)
    {
        snprintf(feed->pointer, sizeof(feed->pointer), "/objects/%zu", i);
        if (strcmp(type_of(object), "indicator") == 0) {
            r = indicator_take(feed, object);
        } else if (strcmp(type_of(object), "file") == 0) {
            const char *id = json_string_value(json_object_get(object, "id"));
            const json_t *name = id ? json_object_get(samples, id) : NULL;

            if (name) {
                r = sample_take(feed, object, name);
            } else {
                feed->n_ignored++;
            }
        }
        if (r < 0) {
            break;
        }
    }
    return r;
}

int feed_stix(struct feed *feed, const json_t *root)
{
    const json_t *objects = json_object_get(root, "objects");
    json_t *samples = json_object();
    int r = -1;

    feed->line = 0;
    if (!json_is_array(objects)) {
        json_decref(samples);
        return feed_fail(feed, "a bundle of STIX without objects");
    }
    if (samples && samples_collect(samples, objects) == 0) {
        r = objects_take(feed, objects, samples);
    } else {
        r = feed_fail(feed, "out of memory");
    }
    json_decref(samples);
    return r;
}
