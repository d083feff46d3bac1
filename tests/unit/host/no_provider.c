/* A shared object that is no provider. */
int no_provider_at_all(void);

__attribute__((visibility("default"))) int no_provider_at_all(void)
{
    return 0;
}
