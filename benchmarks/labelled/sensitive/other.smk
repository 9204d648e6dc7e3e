rule all:
    output:
        "results/other.txt",
    shell:
        "echo other > {output}"
