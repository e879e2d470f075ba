import { Alert, Heading, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";

export type ProofReport = components["schemas"]["Report"];

const FEW = 10;

/** What became of a proof: taken, refused, still waiting. */
export function ProofTold({ told }: { told: ProofReport }) {
  const say = useSay();
  const isWell = told.waiting === 0 && told.failed === 0;
  return (
    <Alert.Root status={isWell ? "success" : "warning"}>
      <Alert.Indicator />
      <Stack gap={1}>
        <Alert.Title>{told.label}</Alert.Title>
        <Text>{say("delivery.proof_counts", figuresOf(told))}</Text>
        {told.waiting > 0 && <Text>{say("delivery.proof_waits")}</Text>}
        {told.dry_run && <Text>{say("delivery.dry_run")}</Text>}
      </Stack>
    </Alert.Root>
  );
}

/** Proofs that were sent of a delivery, the newest first. */
export function Proofs({ id }: { id: string }) {
  const say = useSay();
  const read = useQuery({
    queryKey: ["proofs", id],
    queryFn: async () => {
      const params = { path: { delivery_id: id }, query: { limit: FEW } };
      const page = await answerOf(api.GET("/api/v1/deliveries/{delivery_id}/proofs", { params }));
      return (page as unknown as { proofs: ProofReport[] }).proofs;
    },
  });
  if (!read.data?.length) {
    return null;
  }
  return (
    <Stack gap={1}>
      <Heading as="h3" size="sm">
        {say("delivery.proofs")}
      </Heading>
      {read.data.map((each) => (
        <Text key={each.delivery} fontSize="sm">
          {each.label} · <When at={each.created_at} /> ·{" "}
          {say("delivery.proof_counts", figuresOf(each))}
        </Text>
      ))}
    </Stack>
  );
}

function figuresOf({ accepted, failed, to_deliver }: ProofReport) {
  return { accepted, failed, all: to_deliver };
}
