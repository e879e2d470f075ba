import { Alert, Button, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { decide } from "../actions/decide";
import { reasonOf } from "../actions/reasonOf";
import { type DeliveryHeader, useReadAgain } from "../useHeader";

/** Says that Airflow does not act on a decision that was made, and tells it again for who may. */
export function Unheard({ header }: { header: DeliveryHeader }) {
  const say = useSay();
  const readAgain = useReadAgain(header.delivery);
  const { decision: made, fingerprint, unheard } = header;
  const act = useMutation({
    mutationFn: async () =>
      made && fingerprint
        ? decide(header.delivery, made.decision, { fingerprint, comment: made.comment })
        : null,
    onSettled: readAgain,
  });
  if (unheard === null) {
    return null;
  }
  const canTell = unheard === "waits" && header.actions.tell === null;
  return (
    <Stack gap={2}>
      <Alert.Root status="warning" role="alert" alignItems="start" flexWrap="wrap">
        <Alert.Indicator />
        <Stack gap={1} flex={1} minW="14rem">
          <Alert.Title>{say(`delivery.unheard_${unheard}`)}</Alert.Title>
          {unheard === "waits" && (
            <Text>{reasonOf(say, header.actions.tell) || say("delivery.unheard_safe")}</Text>
          )}
          {act.data?.told === false && !act.isPending && <Text>{say("delivery.not_told")}</Text>}
        </Stack>
        {canTell && (
          <Button size="sm" variant="outline" loading={act.isPending} onClick={() => act.mutate()}>
            {say("delivery.tell_again")}
          </Button>
        )}
      </Alert.Root>
      {act.isError && <Trouble error={act.error} what={say("delivery.not_told_error")} isWrite />}
    </Stack>
  );
}
