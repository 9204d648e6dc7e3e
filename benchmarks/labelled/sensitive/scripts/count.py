with open(snakemake.output[0], "w") as stream:  # noqa: F821 - Snakemake gives it
    stream.write(f"{snakemake.threads} workers\n")  # noqa: F821
