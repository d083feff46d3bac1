/* Prints every good vector as one line of JSON, for check_values to compare with its description.
 */
#include <stdlib.h>

#include "frame_tools.h"
#include "vector.h"

static struct wire_frame frame;

static void dump(const struct vector *v, void *userdata)
{
    if (wire_decode(&frame, v->bytes, v->n_bytes, NULL) != 0) {
        fprintf(stderr, "%s does not decode\n", v->name);
        exit(1);
    }
    printf("{\"name\": \"%s\", \"value\": ", v->name);
    frame_print(stdout, &frame);
    printf("}\n");
}

int main(void)
{
    return vector_each("good", dump, NULL) == 0;
}
