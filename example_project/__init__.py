"""STUDY_001: the CDISC pilot study, cut by cut, as Dagster assets over a datom project."""
