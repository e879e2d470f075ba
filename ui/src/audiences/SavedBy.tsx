import { Link, Text } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import type { components } from "~/api/schema";
import { runAddress, workflowAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";

/** Who saved a version: a run of a workflow, or a person. */
export function SavedBy({ version }: { version: components["schemas"]["AudienceVersion"] }) {
  const say = useSay();
  if (!version.dag_id) {
    return version.actor
      ? say("audiences.by_hand", { who: version.actor })
      : say("audiences.nobody");
  }
  return (
    <>
      <Link asChild variant="underline">
        <RouterLink to={workflowAddress(version.dag_id)}>{version.dag_id}</RouterLink>
      </Link>
      <Text fontSize="sm" color="fg.muted">
        <Link asChild variant="underline">
          <RouterLink to={runAddress(version.dag_id, version.run_id)}>{version.run_id}</RouterLink>
        </Link>
      </Text>
    </>
  );
}
