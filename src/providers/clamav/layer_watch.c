/*
 * layer_watch: compares what content promises with what the engine looked at.
 *
 * libclamav tells of each layer that it opens, before it scans it, depth first; of what it passes
 * over it mostly tells nothing. So each container is held against what came out of it: a ZIP file
 * against the members of its index and their checksums, a gzip file against the length at its end,
 * any other container against there being anything at all. Whatever is missing becomes a gap, and a
 * gap is never full coverage. It errs on the side of a gap: a container of odd but harmless make
 * may get one.
 *
 * It sees content only through zip_index and closed_form, which are bounded by construction.
 */
#include "providers/clamav/layer_watch.h"

#include <string.h>
#include <zlib.h>

#include "providers/clamav/closed_form.h"
#include "providers/clamav/zip_index.h"

/* What holds something whenever it is worth being called that. */
static const char *const containers[] = {
    "CL_TYPE_GZ",  "CL_TYPE_BZ",      "CL_TYPE_XZ",  "CL_TYPE_RAR", "CL_TYPE_ARJ",
    "CL_TYPE_7Z",  "CL_TYPE_MSSZDD",  "CL_TYPE_EGG", "CL_TYPE_ALZ", "CL_TYPE_LHA_LZH",
    "CL_TYPE_SIS", "CL_TYPE_MSCAB",   "CL_TYPE_DMG", "CL_TYPE_XAR", "CL_TYPE_MSCHM",
    "CL_TYPE_UDF", "CL_TYPE_ISO9660",
};

static const char *const zip_types[] = {
    "CL_TYPE_ZIP",      "CL_TYPE_OOXML_WORD", "CL_TYPE_OOXML_PPT",
    "CL_TYPE_OOXML_XL", "CL_TYPE_OOXML_HWP",  "CL_TYPE_JAVA",
};

static bool is_one_of(const char *type, const char *const *types, size_t n_types)
{
    for (size_t i = 0; i < n_types; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(type, types) is_one_of((type), (types), sizeof(types) / sizeof((types)[0]))

static void layer_close(struct layer_watch *watch, const struct layer *layer)
{
    if (!layer->type) {
        return;
    }
    if (layer->n_children < layer->n_expected) {
        watch->gaps |= GAP_DEPTH;
    } else if (layer->is_archive && layer->n_children == layer->n_expected &&
               layer->crc_seen != layer->crc_expected) {
        watch->gaps |= GAP_MALFORMED; /* what came out is not what was put in */
    }
    if (IS_ONE_OF(layer->type, containers) && layer->n_children == 0) {
        watch->gaps |= GAP_UNSUPPORTED;
    }
    /* More than that is right: several files in a row, of which the last one tells its length. */
    if (layer->n_children > 0 &&
        (layer->first_bytes < layer->promised ||
         (layer->first_bytes == layer->promised && layer->first_crc != layer->promised_crc))) {
        watch->gaps |= GAP_MALFORMED;
    }
}

static void layers_close(struct layer_watch *watch, size_t n_left)
{
    while (watch->n_layers > n_left) {
        watch->n_layers--;
        layer_close(watch, &watch->layers[watch->n_layers]);
    }
}

static void zip_take(struct layer_watch *watch, struct layer *layer, const struct layer_seen *seen)
{
    bool is_known = IS_ONE_OF(seen->type, zip_types);
    struct zip_index index;

    if (!zip_index_read(&index, seen->bytes, seen->n_bytes, is_known)) {
        return;
    }
    watch->gaps |= index.is_broken ? GAP_MALFORMED : 0;
    watch->gaps |= index.n_encrypted > 0 ? GAP_ENCRYPTED : 0;
    watch->gaps |= index.n_unsupported > 0 ? GAP_UNSUPPORTED : 0;
    layer->n_expected = index.n_members - index.n_encrypted - index.n_unsupported;
    layer->crc_expected = index.crc_sum;
    layer->is_archive = is_known;
}

static uint32_t crc_of(const struct layer_seen *seen)
{
    return seen->bytes ? (uint32_t)crc32_z(0, seen->bytes, seen->n_bytes) : 0;
}

static uint32_t le32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void content_take(struct layer_watch *watch, struct layer *layer,
                         const struct layer_seen *seen)
{
    zip_take(watch, layer, seen);
    if (strcmp(seen->type, "CL_TYPE_GZ") == 0 && seen->n_bytes >= 18) {
        layer->promised_crc = le32(seen->bytes + seen->n_bytes - 8);
        layer->promised = le32(seen->bytes + seen->n_bytes - 4);
    }
    if (strcmp(seen->type, "CL_TYPE_MSOLE2") == 0 &&
        closed_form_is_encrypted_ole2(seen->bytes, seen->n_bytes)) {
        watch->gaps |= GAP_ENCRYPTED;
    }
    if (!seen->is_normalised && closed_form_is_packed(seen->bytes, seen->n_bytes)) {
        watch->gaps |= GAP_UNSUPPORTED;
    }
}

void layer_watch_init(struct layer_watch *watch)
{
    watch->n_layers = 0;
    watch->n_seen = 0;
    watch->gaps = 0;
}

/* What lies directly in the content, such as an archive behind a program, is a layer that is not
 * told
 * of: its members belong to the nearest one that is. */
static void parent_take(struct layer_watch *watch, const struct layer_seen *seen)
{
    size_t level = seen->level;
    struct layer *parent;

    while (level > 0 && !watch->layers[level - 1].type) {
        level--;
    }
    if (level == 0) {
        return;
    }
    parent = &watch->layers[level - 1];
    if (parent->n_children == 0) {
        parent->first_bytes = seen->n_bytes;
        parent->first_crc = parent->promised > 0 ? crc_of(seen) : 0;
    }
    if (parent->n_expected == 0) {
        parent->n_children++;
    } else if (!seen->is_normalised && (seen->is_named || !parent->is_archive)) {
        parent->n_children++; /* only what came out counts against what was promised */
        parent->crc_seen += crc_of(seen);
    }
}

void layer_watch_take(struct layer_watch *watch, const struct layer_seen *seen)
{
    struct layer *layer;

    watch->n_seen++;
    if (seen->level >= LAYERS_MAX) {
        watch->gaps |= GAP_DEPTH;
        return;
    }
    layers_close(watch, seen->level);
    while (watch->n_layers < seen->level) {
        watch->layers[watch->n_layers++] = (struct layer){.type = NULL};
    }
    parent_take(watch, seen);
    layer = &watch->layers[watch->n_layers++];
    *layer = (struct layer){.type = seen->type};
    if (seen->bytes) {
        content_take(watch, layer, seen);
    }
}

void layer_watch_end(struct layer_watch *watch)
{
    layers_close(watch, 0);
}
