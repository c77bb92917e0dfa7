"""What one DAG makes and the next one waits for."""

from airflow.sdk import Asset

POSTS = Asset(name="posts", uri="wom://lake/posts")
MENTIONS = Asset(name="mentions", uri="wom://lake/mentions")
SNAPSHOT = Asset(name="snapshot", uri="wom://database/snapshot")
