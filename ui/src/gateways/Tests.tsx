import { Button, HStack, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { MessageDialog } from "./MessageDialog";

type Props = { gateway: components["schemas"]["GatewaySummary"] };

/** Try the connection, or send one message by it. */
export function Tests({ gateway }: Props) {
  const say = useSay();
  const [isWriting, setIsWriting] = useState(false);
  const params = { path: { conn_id: gateway.conn_id } };
  const test = useMutation({
    mutationFn: () => answerOf(api.POST("/api/v1/gateways/{conn_id}/test", { params, body: {} })),
  });
  return (
    <Stack gap={2}>
      <HStack wrap="wrap">
        <Button
          size="sm"
          variant="outline"
          disabled={!gateway.may_test}
          loading={test.isPending}
          onClick={() => test.mutate()}
        >
          {say("gateways.test")}
        </Button>
        <Button
          size="sm"
          variant="outline"
          disabled={!gateway.may_test}
          onClick={() => setIsWriting(true)}
        >
          {say("gateways.test_message")}
        </Button>
      </HStack>
      {!gateway.may_test && (
        <Text color="fg.muted" fontSize="sm">
          {say(gateway.problem ? "gateways.mend_first" : "gateways.may_not_test")}
        </Text>
      )}
      <div aria-live="polite">
        {test.isError && <Trouble error={test.error} what={say("gateways.test_failed")} />}
        {test.data && (
          <Text color={test.data.is_ok ? "fg.success" : "fg.error"}>
            {say(test.data.is_ok ? "gateways.test_good" : "gateways.test_bad")} {test.data.message}
          </Text>
        )}
      </div>
      {isWriting && <MessageDialog connId={gateway.conn_id} onClose={() => setIsWriting(false)} />}
    </Stack>
  );
}
