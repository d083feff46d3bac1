/*
 * Log-linear histogram.
 *
 * Bucket i holds values above 2^((i-1)/8) up to 2^(i/8) microseconds (schema 3 of Prometheus'
 * native histograms), so bucket 0 is up to 1 us and the last takes all above 985 s. The index
 * is found with integers alone: the leading bit gives the octave, seven comparisons the eighth.
 *
 * Buckets are 28 bit wide, which bounds the packed form. When one would overflow, all are halved
 * (rounding up): the shape stays, and n, sum and maximum are kept apart and exact.
 *
 * Packed: n, sum_us, max_us, then the weights in order, all as LEB128 varints in their shortest
 * form; 0 is followed by the number of empty buckets in a row (at least 1). Empty buckets at the
 * end are left out. The longest is 3 * 10 + 241 * 4 = 994 bytes.
 */
#include "base/histogram.h"

#define WEIGHT_MAX ((UINT32_C(1) << 28) - 1) /* four bytes of varint */

/* 2^(k/8) * 2^63 for k = 1 .. 7, rounded down; no integer lies between, as they are irrational. */
static const uint64_t steps[7] = {
    UINT64_C(0x8b95c1e3ea8bd6e6), UINT64_C(0x9837f0518db8a96f), UINT64_C(0xa5fed6a9b15138ea),
    UINT64_C(0xb504f333f9de6484), UINT64_C(0xc5672a115506dadd), UINT64_C(0xd744fccad69d6af4),
    UINT64_C(0xeac0c6e7dd24392e),
};

/* 2^(k/8) for k = 0 .. 7, and the same half a step lower: the middle of the bucket that ends there.
 */
static const double ends[8] = {
    1,
    1.0905077326652577,
    1.189207115002721,
    1.2968395546510096,
    1.4142135623730951,
    1.5422108254079407,
    1.681792830507429,
    1.8340080864093424,
};
static const double middles[8] = {
    0.9576032806985737, 1.0442737824274138, 1.1387886347566916, 1.241857812073484,
    1.3542555469368927, 1.4768261459394993, 1.6104903319492543, 1.7562521603732995,
};

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static size_t bucket_of(uint64_t us)
{
    unsigned octave;
    uint64_t mantissa;
    size_t eighth = 0;
    size_t bucket;

    if (us <= 1) {
        return 0;
    }
    octave = 63 - (unsigned)__builtin_clzll(us);
    mantissa = us << (63 - octave);
    if (mantissa > UINT64_C(1) << 63) {
        eighth = 1;
        while (eighth < 8 && mantissa > steps[eighth - 1]) {
            eighth++;
        }
    }
    bucket = 8 * (size_t)octave + eighth;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static double scale(const double eighths[8], size_t bucket)
{
    return eighths[bucket % 8] * (double)(UINT64_C(1) << (bucket / 8));
}

static void halve(struct histogram *histogram)
{
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram->weights[i] = (histogram->weights[i] + 1) / 2;
    }
}

void histogram_add(struct histogram *histogram, uint64_t us)
{
    size_t bucket = bucket_of(us);

    histogram->n = add_saturated(histogram->n, 1);
    histogram->sum_us = add_saturated(histogram->sum_us, us);
    if (us > histogram->max_us) {
        histogram->max_us = us;
    }
    if (histogram->weights[bucket] == WEIGHT_MAX) {
        halve(histogram);
    }
    histogram->weights[bucket]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    unsigned n_halved = 0;

    histogram->n = add_saturated(histogram->n, from->n);
    histogram->sum_us = add_saturated(histogram->sum_us, from->sum_us);
    if (from->max_us > histogram->max_us) {
        histogram->max_us = from->max_us;
    }
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        while (histogram->weights[i] + (from->weights[i] >> n_halved) > WEIGHT_MAX) {
            halve(histogram);
            n_halved++;
        }
        histogram->weights[i] += from->weights[i] >> n_halved;
    }
}

static uint64_t needed(double q)
{
    if (q <= 0.5) {
        return 10;
    }
    if (q <= 0.95) {
        return 100;
    }
    return q <= 0.99 ? 1000 : 10000;
}

/* What stands for the values of a bucket. The first and the last have no middle. */
static double middle_of(const struct histogram *histogram, size_t bucket)
{
    double max = (double)histogram->max_us;
    double middle = bucket == 0 ? 1 : scale(middles, bucket);

    return bucket == HISTOGRAM_BUCKETS - 1 || middle > max ? max : middle;
}

double histogram_quantile_us(const struct histogram *histogram, double q)
{
    uint64_t n_weights = 0;
    uint64_t n_below = 0;
    double rank;

    if (!(q >= 0 && q <= 1) || histogram->n < needed(q)) {
        return -1;
    }
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        n_weights += histogram->weights[i];
    }
    rank = q * (double)n_weights;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        n_below += histogram->weights[i];
        if (n_below > 0 && (double)n_below >= rank) {
            return middle_of(histogram, i);
        }
    }
    return (double)histogram->max_us;
}

void histogram_bucket_us(size_t bucket, double *ret_low_us, double *ret_high_us)
{
    *ret_low_us = bucket == 0 ? 0 : scale(ends, bucket - 1);
    *ret_high_us = scale(ends, bucket);
}

/* Where bytes go; `at` counts on when there is no room. */
struct sink {
    unsigned char *bytes;
    size_t n_bytes;
    size_t at;
};

static void put_byte(struct sink *sink, unsigned char byte)
{
    if (sink->at < sink->n_bytes) {
        sink->bytes[sink->at] = byte;
    }
    sink->at++;
}

static void put_varint(struct sink *sink, uint64_t value)
{
    while (value >= 0x80) {
        put_byte(sink, (unsigned char)(value | 0x80));
        value >>= 7;
    }
    put_byte(sink, (unsigned char)value);
}

size_t histogram_pack(const struct histogram *histogram, void *buffer, size_t n_buffer)
{
    struct sink sink = {.bytes = buffer, .n_bytes = n_buffer};
    uint64_t n_empty = 0;

    put_varint(&sink, histogram->n);
    put_varint(&sink, histogram->sum_us);
    put_varint(&sink, histogram->max_us);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->weights[i] == 0) {
            n_empty++;
            continue;
        }
        if (n_empty > 0) {
            put_varint(&sink, 0);
            put_varint(&sink, n_empty);
            n_empty = 0;
        }
        put_varint(&sink, histogram->weights[i]);
    }
    return sink.at <= n_buffer ? sink.at : 0;
}

/* Bytes still to read; `bad` stays set once something was wrong, and everything reads as 0 then. */
struct source {
    const unsigned char *bytes;
    size_t n_bytes;
    bool bad;
};

static uint64_t take_varint(struct source *source)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && source->n_bytes > 0; shift += 7) {
        unsigned char byte = *source->bytes++;

        source->n_bytes--;
        if (shift == 63 && byte > 1) {
            break; /* more than 64 bits */
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (byte == 0 && shift > 0) {
                break; /* not the shortest form */
            }
            return value;
        }
    }
    source->bad = true;
    source->n_bytes = 0;
    return 0;
}

/* Reads the weights. Returns their sum; one mistake makes the source bad. */
static uint64_t take_weights(struct source *source, uint32_t weights[HISTOGRAM_BUCKETS])
{
    uint64_t sum = 0;
    bool after_gap = false;
    size_t at = 0;

    while (source->n_bytes > 0) {
        uint64_t weight = take_varint(source);
        uint64_t n_empty = 0;

        if (weight == 0) {
            n_empty = take_varint(source);
            source->bad |= after_gap || n_empty == 0 || source->n_bytes == 0;
        }
        source->bad |= weight > WEIGHT_MAX || n_empty >= HISTOGRAM_BUCKETS - at;
        if (source->bad) {
            return 0;
        }
        after_gap = weight == 0;
        at += n_empty;
        if (weight > 0) {
            if (at >= HISTOGRAM_BUCKETS) {
                source->bad = true;
                return 0;
            }
            weights[at++] = (uint32_t)weight;
            sum += weight;
        }
    }
    return sum;
}

bool histogram_unpack(struct histogram *ret_histogram, const void *bytes, size_t n_bytes)
{
    struct source source = {.bytes = bytes, .n_bytes = n_bytes};
    struct histogram histogram = HISTOGRAM_INIT;
    uint64_t n_weights;

    histogram.n = take_varint(&source);
    histogram.sum_us = take_varint(&source);
    histogram.max_us = take_varint(&source);
    n_weights = take_weights(&source, histogram.weights);
    if (source.bad || n_weights > histogram.n || (histogram.n > 0) != (n_weights > 0) ||
        histogram.max_us > histogram.sum_us || (histogram.n == 0 && histogram.sum_us > 0)) {
        return false;
    }
    *ret_histogram = histogram;
    return true;
}
