"""The settings that a room itself must decide: where jobs run, and that they run at all.

From the option tables of Snakemake 7.32, 8.30 and 9.27 and of the common executor plugins. Not here: what a setting means.
"""

EXECUTOR_KEYS = (
    r"executor|local-cores|cluster.*|drmaa.*|slurm.*|kubernetes.*|k8s.*|tibanna.*|google-lifesciences.*|googlebatch.*|"
    r"google-batch.*|az-batch.*|azure-batch.*|tes.*|flux.*|gcp.*|aws.*|lsf.*|htcondor.*|pbs.*|sge.*|pcluster.*|jobscript|jobname|"
    r"immediate-submit|precommand|container-image|preemptible-.*|preemption-default|no-shared-fs|max-status-checks-per-second|"
    r"seconds-between-status-checks|job-deploy-sources|envvars-remote|logger.*|log-handler-script|log-service|wms-monitor.*"
)
"""Placement and its watchers: replaced by local execution in the room (a regular expression over keys)."""

CLUSTER_KEYS = (
    "cluster", "cluster-sync", "drmaa", "kubernetes", "tibanna", "google-lifesciences", "az-batch", "tes", "flux",
)  # fmt: skip
"""Keys of Snakemake 7 that send jobs elsewhere."""

PATH_KEYS = (
    "shadow-prefix", "conda-prefix", "apptainer-prefix", "singularity-prefix", "local-storage-prefix",
    "remote-job-local-storage-prefix", "runtime-source-cache-path",
)  # fmt: skip
"""Scratch and cache folders: an absolute one belongs to another machine, and is left out where it does not exist."""

ACTION_KEYS = (
    "dry-run", "touch", "unlock", "lint", "list-rules", "list-target-rules", "summary", "detailed-summary", "archive", "cleanup-metadata",
    "cleanup-shadow", "conda-cleanup-envs", "conda-cleanup-pkgs", "conda-create-envs-only", "containerize", "dag", "rulegraph",
    "filegraph", "d3dag", "delete-all-output", "delete-temp-output", "draft-notebook", "edit-notebook", "export-cwl", "generate-unit-tests",
    "gui", "list-changes", "list-conda-envs", "list-input-changes", "list-params-changes", "list-code-changes", "list-untracked",
    "list-version-changes", "print-compilation", "report", "sdm-create-envs-only", "version", "help",
)  # fmt: skip
"""Settings that replace the run by something else; under one of them nothing is proven."""
