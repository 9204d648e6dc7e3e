# Sourced with the folder or the name of an environment, as conda's own.
case "$1" in
    /*) CONDA_PREFIX=$1 ;;
    *) CONDA_PREFIX=/room/in/conda/envs/$1 ;;
esac
if [ ! -d "$CONDA_PREFIX" ]; then
    echo "EnvironmentLocationNotFound: Not a conda environment: $1" >&2
    return 1
fi
CONDA_DEFAULT_ENV=$1
CONDA_SHLVL=1
PATH=$CONDA_PREFIX/bin:$PATH
export CONDA_PREFIX CONDA_DEFAULT_ENV CONDA_SHLVL PATH
for cleanroom_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -r "$cleanroom_script" ]; then . "$cleanroom_script"; fi
done
unset cleanroom_script
