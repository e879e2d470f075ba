# Airflow with smsflow in it. The tag and the pin below are one version: change both.
FROM apache/airflow:3.3.2-python3.11

# The folders of the named volumes must exist, or they would belong to root.
RUN mkdir -p /opt/airflow/state /opt/airflow/artifacts

COPY --chown=airflow:0 pyproject.toml README.md LICENSE /opt/smsflow/
COPY --chown=airflow:0 smsflow_provider /opt/smsflow/smsflow_provider

# Naming Airflow keeps pip from replacing it by another version.
RUN pip install --no-cache-dir "apache-airflow==3.3.2" "/opt/smsflow[postgres]"
